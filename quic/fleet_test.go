package quic

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// fleetSecret returns a secret that is not random.
func fleetSecret(n byte) []byte { return bytes.Repeat([]byte{n}, minFleetSecret) }

// mustFleetKeys returns the FleetKeys of such secrets.
func mustFleetKeys(numbers ...byte) *FleetKeys {
	var secrets [][]byte
	for _, n := range numbers {
		secrets = append(secrets, fleetSecret(n))
	}
	k, err := NewFleetKeys(secrets...)
	if err != nil {
		panic(err)
	}
	return k
}

// The keys that come from a secret stay the same in every version, and none is another's.
func TestFleetKeysDerived(t *testing.T) {
	k := mustFleetKeys(1)
	for purpose, tt := range map[string]struct {
		got  [32]byte
		want string
	}{
		"stateless reset":          {k.resets[0], "d712277002dd4fad7bd1f7e2cab075d4fccd59075b11b855f0a2d44d5918befa"},
		"address validation token": {k.tokens[0], "87bdd7f68e67abca487541ab5f48731518967187d38c96a861492f8b41150846"},
		"session ticket":           {k.SessionTicketKeys()[0], "b76dece33af39913108cbea52f28f7b0ebbc74179bc099b3916978e7735a28b0"},
	} {
		if got := hex.EncodeToString(tt.got[:]); got != tt.want {
			t.Errorf("%s: %s, want %s", purpose, got, tt.want)
		}
	}
}

// What is wrong with secrets is said, without them.
func TestFleetKeysRefused(t *testing.T) {
	long, longer := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	for text, want := range map[string]string{
		long: "",
		"# fleet\n\n" + long + " # today's\r\n" + longer: "",
		strings.ToUpper(long):                            "",
		"":                                               "no secret",
		"#" + long:                                       "no secret",
		long[2:]:                                         "secret 1 has 31 bytes",
		long + "\n" + strings.Repeat("a", 2050):          "secret 2 has 1025 bytes",
		long + "\n" + long:                               "secrets 1 and 2 are the same",
		longer + "\nno secret":                           "line 2 is not",
		long + "a":                                       "line 1 is not",
		strings.Repeat(long+"\n", 9):                     "more than 8",
	} {
		k, err := ParseFleetKeys([]byte(text))
		switch {
		case want == "" && (err != nil || len(k.tokens) != len(k.resets) || len(k.tickets) != len(k.resets)):
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), "abab"):
			t.Errorf("%q: the error shows a secret: %v", text, err)
		}
	}
	if _, err := NewFleetKeys(); err == nil {
		t.Error("no secrets are good enough")
	}
	both := &TransportConfig{FleetKeys: mustFleetKeys(1), StatelessResetKey: &[32]byte{1}}
	if err := both.validate(); err == nil || !strings.Contains(err.Error(), "StatelessResetKey") {
		t.Errorf("two keys of stateless resets: %v", err)
	}
}

// FuzzParseFleetKeys: any text is read or refused, and what is read has as many secrets as
// there may be.
func FuzzParseFleetKeys(f *testing.F) {
	f.Add([]byte("# newest\n" + strings.Repeat("0f", 32) + "\n" + strings.Repeat("a1", 40)))
	f.Add([]byte("\r\n# \n\n#"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseFleetKeys(text)
		if (k == nil) != (err != nil) {
			t.Fatalf("%v, %v", k, err)
		}
		if k != nil && (len(k.tokens) == 0 || len(k.tokens) > maxFleetSecrets || len(k.resets) != len(k.tokens) || len(k.tickets) != len(k.tokens)) {
			t.Fatalf("%d, %d and %d keys", len(k.resets), len(k.tokens), len(k.tickets))
		}
	})
}

// TestFleetKeys: a client is known to every server with one of the secrets: its token is
// accepted, its session resumed, and a connection that its server has lost is reset. Servers
// with other secrets know nothing of it.
func TestFleetKeys(t *testing.T) {
	for _, tt := range []struct {
		name  string
		keys  []byte // of the second server; the first has 1
		known bool
	}{{"the same", []byte{1}, true}, {"a newer one", []byte{2, 1}, true}, {"another", []byte{2}, false}} {
		synctest.Test(t, func(t *testing.T) {
			tickets := func(conf *tls.Config, k *FleetKeys) *tls.Config {
				conf.SetSessionTicketKeys(k.SessionTicketKeys())
				return conf
			}
			first := &TransportConfig{FleetKeys: mustFleetKeys(1), RequireAddressValidation: true}
			e, closeAll := newMemEnvWith(t, nil, nil, setup{
				serverOn: first, serverTLS: func(conf *tls.Config) { tickets(conf, first.FleetKeys) },
			})
			defer closeAll()
			e.clientTLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			client, _ := e.pair()
			time.Sleep(time.Second)
			e.network.Drop(func(from, _ netip.AddrPort, _ []byte) bool { return from == memServer })
			e.listener.Transport().Close() // nobody hears of it
			e.network.Drop(nil)

			second := &TransportConfig{FleetKeys: mustFleetKeys(tt.keys...), RequireAddressValidation: true}
			st := newTransport([]loop.Socket{e.network.Listen(memServer)}, second)
			defer st.Close()
			serverTLS, _ := peertest.TLS(t, "test")
			l, err := st.Listen(tickets(serverTLS, second.FleetKeys), nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := client.OpenStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			s.Write(make([]byte, 1000)) // resets are shorter than what they answer
			<-client.Done()
			if reset := client.Err() == ErrStatelessReset; reset != tt.known {
				t.Errorf("%s: the lost connection ends with %v", tt.name, client.Err())
			}
			e.listener = l
			again, _ := e.pair()
			stats := st.Stats()
			if again.ConnectionState().DidResume != tt.known || (stats.TokensAccepted == 1) != tt.known || (stats.RetriesSent == 0) != tt.known {
				t.Errorf("%s: resumed %v, %d tokens accepted, %d Retry packets",
					tt.name, again.ConnectionState().DidResume, stats.TokensAccepted, stats.RetriesSent)
			}
		})
	}
}

// A successor's secrets come before those of its predecessor, which it knows as well.
func TestFleetKeysOfPredecessor(t *testing.T) {
	h := (&TransportConfig{FleetKeys: mustFleetKeys(1, 2)}).newHeritage()
	before := *h
	h.renew(mustFleetKeys(3, 1))
	want := mustFleetKeys(3, 1, 2)
	if !slices.Equal(h.ResetKeys, want.resets) || !slices.Equal(h.TokenSecrets, want.tokens) {
		t.Error("not the new keys, and then the old ones")
	}
	*h = before
	if h.renew(nil); !slices.Equal(h.ResetKeys, before.ResetKeys) {
		t.Error("without FleetKeys the predecessor's are not kept")
	}
	h.renew(mustFleetKeys(11, 12, 13, 14, 15, 16, 17))
	if err := h.check(); err != nil || len(h.ResetKeys) != maxFleetSecrets {
		t.Errorf("%d keys, %v", len(h.ResetKeys), err)
	}
}
