package quic

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A store in memory gives the newest token first, each once, and forgets the oldest of a
// server and the server used longest ago.
func TestTokenStoreInMemory(t *testing.T) {
	m := NewTokenStore(2, 3)
	want := func(server string, tokens ...string) {
		t.Helper()
		for _, token := range tokens {
			if got := string(m.Take(server)); got != token {
				t.Errorf("%s: token %q, want %q", server, got, token)
			}
		}
		if got := m.Take(server); got != nil {
			t.Errorf("%s: token %q, want none", server, got)
		}
	}
	want("a")
	for i := range 5 {
		m.Put("a", fmt.Append(nil, i))
	}
	want("a", "4", "3", "2")
	m.Put("a", []byte("of a"))
	m.Put("a", []byte("used"))
	m.Put("b", []byte("of b"))
	m.Take("a")
	m.Put("c", []byte("of c")) // b was used longest ago
	want("b")
	want("a", "of a")
	want("c", "of c")
	if m := m.(*memoryTokens); len(m.by) != 0 || m.used.Len() != 0 {
		t.Errorf("%d servers without tokens", m.used.Len())
	}
}

// helloDatagrams is how many datagrams a client's first message takes, with the key share of
// crypto/tls: each is answered by a Retry packet.
const helloDatagrams = 2

// proves returns how often clients of an env's server were asked for a proof, and how often
// they had one.
func (e *env) proves() (asked, had uint64) {
	s := e.listener.Transport().Stats()
	if s.InvalidToken != 0 {
		e.t.Errorf("%d invalid tokens", s.InvalidToken)
	}
	return s.RetriesSent, s.TokensAccepted
}

// TestTokens: who comes again on a transport proves its address with the first packet, in
// either version; after a day as at first.
func TestTokens(t *testing.T) {
	for _, v := range []Version{Version1, Version2} {
		synctest.Test(t, func(t *testing.T) {
			conf := &Config{Versions: []Version{v}}
			e, closeAll := newMemEnvWith(t, nil, conf, setup{serverOn: &TransportConfig{RequireAddressValidation: true}})
			defer closeAll()
			for i := range uint64(3) {
				client, _ := e.pair()
				time.Sleep(time.Second) // so that the token is there
				if asked, had := e.proves(); asked != helloDatagrams || had != i {
					t.Errorf("connection %d: %d Retry packets, %d tokens", i, asked, had)
				}
				client.CloseWithError(0, "")
			}
			time.Sleep(25 * time.Hour)
			e.pair()
			if s := e.listener.Transport().Stats(); s.RetriesSent != 2*helloDatagrams || s.TokensAccepted != 2 || s.InvalidToken != helloDatagrams {
				t.Errorf("a day later: %d Retry packets, %d tokens, %d invalid", s.RetriesSent, s.TokensAccepted, s.InvalidToken)
			}
		})
	}
}

// spiedStore notes what a TokenStore is asked.
type spiedStore struct {
	TokenStore
	put, taken chan string
	leave      chan struct{} // Put waits for it
}

func (s *spiedStore) Put(server string, token []byte) {
	s.put <- server
	<-s.leave
	s.TokenStore.Put(server, token)
}

func (s *spiedStore) Take(server string) []byte {
	s.taken <- server
	return s.TokenStore.Take(server)
}

// TestTokenStore: a store of one's own is asked for each connection, by the server's name, its
// port and the version, however the name is written; and nobody waits while it keeps a token.
func TestTokenStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &spiedStore{NewTokenStore(0, 0), make(chan string, 9), make(chan string, 9), make(chan struct{})}
		on := setup{serverOn: &TransportConfig{RequireAddressValidation: true}}
		e, closeAll := newMemEnvWith(t, nil, &Config{TokenStore: store}, on)
		defer closeAll()
		e.clientTLS.ServerName = "LocalHost"
		want := fmt.Sprintf("localhost:%d v1", memServer.Port())
		for i := range uint64(3) {
			client, server := e.pair()
			if got := <-store.taken; got != want {
				t.Errorf("asked for a token of %q, want %q", got, want)
			}
			if got := <-store.put; got != want {
				t.Errorf("keeps a token of %q, want %q", got, want)
			}
			e.streams(client, server) // though the store has not kept it
			store.leave <- struct{}{}
			time.Sleep(time.Second)
			if asked, had := e.proves(); asked != helloDatagrams || had != i {
				t.Errorf("connection %d: %d Retry packets, %d tokens", i, asked, had)
			}
			client.CloseWithError(0, "")
		}
	})
}

// TestTokenStoreHangs: who dials does not wait for a store longer than for anything else.
func TestTokenStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &spiedStore{TokenStore: NewTokenStore(0, 0), taken: make(chan string)}
		e, closeAll := newMemEnvWith(t, nil, &Config{TokenStore: store}, setup{})
		defer closeAll()
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		_, err := e.transport.Dial(ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialling ends with %v", err)
		}
		<-store.taken
	})
}

// A token that a server sends again, as it takes it for lost, is kept once, though the first
// was taken meanwhile: who sees it in two connections would know that they are one client's
// (RFC 9000, Section 19.7).
func TestTokenSentTwice(t *testing.T) {
	tr, e := &Transport{tokens: NewTokenStore(0, 0)}, &engine.Config{OriginalVersion: wire.Version1}
	take := tr.keepTokens(new(Config), e, &tls.Config{ServerName: "a"}, "a", []netip.AddrPort{memServer})
	give := func(tokens ...string) {
		for _, token := range tokens {
			e.KeepToken(wire.Version1, []byte(token))
		}
	}
	want := func(token string) {
		t.Helper()
		if got, err := take(t.Context()); string(got) != token || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, token)
		}
	}
	give("first", "first", "second", "first")
	want("second")
	want("first")
	give("second", "third")
	want("third")
	want("")
}

// A server that sends tokens without end makes a client hold few, while its store keeps one.
func TestTokensWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &spiedStore{NewTokenStore(1, 100), make(chan string, 100), nil, make(chan struct{})}
		k := &tokenQueue{store: store}
		for range 50 {
			k.Put("server", []byte("token"))
		}
		synctest.Wait()
		if n := len(k.waiting); n > maxWaitingTokens {
			t.Errorf("%d tokens wait", n)
		}
		close(store.leave)
		synctest.Wait()
		if k.putting || len(k.waiting) != 0 {
			t.Error("somebody still puts tokens")
		}
		if n := len(store.put); n < 1 || n > 1+maxWaitingTokens {
			t.Errorf("%d tokens were put, want %d at most", n, 1+maxWaitingTokens)
		}
	})
}
