package quic

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// sealedIDs makes connection IDs whose shard only those can read who know the key: it is
// in the last byte, encrypted with the others. There are IDs of two lengths, which the
// first bit tells apart.
type sealedIDs struct{ short, long int }

func (g sealedIDs) Len(first byte) int {
	if first < 0x80 {
		return g.short
	}
	return g.long
}

func (g sealedIDs) New(dst []byte, shard, shards int, random func([]byte)) []byte {
	id := make([]byte, 20)
	random(id)
	id = id[:g.Len(id[0])]
	last := len(id) - 1
	id[last] = (id[last] - id[last]%byte(shards) + byte(shard)) ^ g.mask(id[:last])
	return append(dst, id...)
}

func (g sealedIDs) Shard(id []byte, shards int) (int, bool) {
	if len(id) == 0 || len(id) != g.Len(id[0]) {
		return 0, false
	}
	last := len(id) - 1
	return int(id[last]^g.mask(id[:last])) % shards, true
}

func (g sealedIDs) mask(b []byte) byte {
	sum := sha256.Sum256(append([]byte("key"), b...))
	return sum[0]
}

// TestConnectionIDLengths: connections of both sides' four loops exchange data with IDs
// of every length, whether the kernel can read the shard, in the last byte, or not.
func TestConnectionIDLengths(t *testing.T) {
	if runtime.GOOS != "linux" {
		peertest.LeaveOut(t, "several loops", "run it on Linux")
	}
	for length := 1; length <= 20; length++ {
		for name, ids := range map[string]ConnectionIDGenerator{
			"last byte": RandomConnectionIDs(length, length-1),
			"encrypted": sealedIDs{max(length-1, min(length, 2)), length},
		} {
			t.Run(fmt.Sprint(length, " ", name), func(t *testing.T) {
				conf := &TransportConfig{Loops: 4, ConnectionIDs: ids, RequireAddressValidation: length%2 == 0}
				e := newEnvWith(t, nil, nil, setup{serverOn: conf, clientOn: conf})
				e.serveEcho()
				for range 6 {
					if err := e.echo(e.dial(), 2, 30_000); err != nil {
						t.Fatal(err)
					}
				}
				for _, tr := range []*Transport{e.transport, e.listener.Transport()} {
					for i, w := range tr.workers {
						if s := w.Stats(); s.Endpoint.UnknownID > 0 {
							t.Errorf("loop %d got %d packets of other loops' connections", i, s.Endpoint.UnknownID)
						}
					}
				}
			})
		}
	}
}

// TestEmptyConnectionIDs: a client may have them, for one connection at a time. Whoever
// asks for more is told why it does not work.
func TestEmptyConnectionIDs(t *testing.T) {
	empty := &TransportConfig{ConnectionIDs: RandomConnectionIDs(0, 0)}
	e := newEnvWith(t, nil, nil, setup{clientOn: empty})
	e.serveEcho()
	c := e.dial()
	if err := e.echo(c, 2, 50_000); err != nil {
		t.Fatal(err)
	}
	wantRefusal := func(what string, err error, part string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want an error with %q", what, err, part)
		}
	}
	_, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
	wantRefusal("a second connection", err, "one connection at a time")
	serverTLS, _ := peertest.TLS(t, "test")
	_, err = e.transport.Listen(serverTLS, nil)
	wantRefusal("a listener on the client's transport", err, "are for clients")
	_, err = NewTransport("127.0.0.1:0", &TransportConfig{Loops: 2, ConnectionIDs: empty.ConnectionIDs})
	wantRefusal("two loops", err, "lead to one event loop")
	if err := e.echo(c, 1, 1000); err != nil {
		t.Errorf("the first connection: %v", err)
	}
}

// Generators that cannot work are refused where they are given.
func TestBadConnectionIDs(t *testing.T) {
	leak.Check(t)
	for _, tt := range []struct {
		ids  ConnectionIDGenerator
		want string
	}{
		{RandomConnectionIDs(21, 0), "21 bytes"},
		{RandomConnectionIDs(8, 8), "byte 8"},
		{sealedIDs{0, 4}, "some connection IDs are empty"},
	} {
		if _, err := NewTransport("127.0.0.1:0", &TransportConfig{ConnectionIDs: tt.ids}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want an error with %q", tt.ids, err, tt.want)
		}
	}
}
