package engine_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

func requireRetry(p *puppet) { p.server.RequireRetry = true }

// retried sends a first Initial packet and takes the Retry it is answered by.
func (p *puppet) retried() {
	p.t.Helper()
	p.start()
	p.send(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	if len(p.answers) != 1 || p.conn != nil {
		p.fatal("%d answers, connection %v", len(p.answers), p.conn != nil)
	}
	h, ok := wire.ParseLongHeader(p.answers[0])
	if !ok || h.Type != wire.RetryPacket || !protect.VerifyRetry(wire.Version1, &p.original, p.answers[0]) {
		p.fatal("not a Retry packet: %x", p.answers[0])
	}
	if h.SrcID == p.original {
		p.fatal("the client's own choice comes back as %v", h.SrcID) // RFC 9000, Section 17.2.5.1
	}
	if len(p.answers[0]) >= 1200 {
		p.fatal("a Retry packet of %d bytes", len(p.answers[0]))
	}
	p.answers = nil
	p.token, p.remote = append([]byte(nil), h.Token...), h.SrcID
	p.initialKeys(p.remote)
}

// A client that comes back with its token is accepted, its address validated.
func TestRetry(t *testing.T) {
	p := newServer(t, requireRetry)
	p.retried()
	p.flush()
	p.flush()
	if !p.established() {
		t.Fatalf("the handshake is not complete: %+v", p.endpoint.Stats())
	}
	if p.peer.OriginalDstID != wire.SomeID(p.original) || !p.peer.RetrySrcID.Set {
		t.Fatalf("connection IDs %v and %v", p.peer.OriginalDstID, p.peer.RetrySrcID)
	}
}

// Attack: token parsing. Tokens that are nothing which this server makes are as good as
// none: the client is asked again. One of a Retry packet that is not this server's, another
// client's or expired is an error (RFC 9000, Section 8.1.2), of which the client learns at
// once. Nothing is kept of any of them.
func TestAttackTokens(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(p *puppet)
		stale bool
	}{
		{"one byte", func(p *puppet) { p.token = p.token[:1] }, false},
		{"half a header", func(p *puppet) { p.token = p.token[:3] }, false},
		{"only a header", func(p *puppet) { p.token = p.token[:4] }, true},
		{"cut", func(p *puppet) { p.token = p.token[:len(p.token)-1] }, true},
		{"longer", func(p *puppet) { p.token = append(p.token, 0) }, true},
		{"far too long", func(p *puppet) { p.token = append(p.token, make([]byte, 500)...) }, true},
		{"zeros", func(p *puppet) { clear(p.token) }, false},
		{"first byte", func(p *puppet) { p.token[0] ^= 1 }, false},
		{"another kind", func(p *puppet) { p.token[3] = 0 }, false},
		{"a kind that is not known", func(p *puppet) { p.token[3] = 2 }, false},
		{"last byte", func(p *puppet) { p.token[len(p.token)-1] ^= 0x80 }, true},
		{"other address", func(p *puppet) { p.path.Remote = strangerAddr }, true},
		{"other port", func(p *puppet) {
			p.path.Remote = netip.AddrPortFrom(puppetAddr.Addr(), puppetAddr.Port()+1)
		}, true},
		{"expired", func(p *puppet) { p.now = p.now.Add(engine.RetryLifetime + time.Millisecond) }, true},
		{"of another server", func(p *puppet) { p.token = foreignToken(p.now, true) }, true},
		{"of another server's connection", func(p *puppet) { p.token = foreignToken(p.now, false) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, requireRetry)
			p.retried()
			tt.spoil(p)
			p.flush()
			s := p.endpoint.Stats()
			if p.conn != nil || s.Accepted != 0 || s.InvalidToken != 1 {
				t.Fatalf("accepted %d, invalid tokens %d", s.Accepted, s.InvalidToken)
			}
			if tt.stale {
				p.wantRefused(p.remote, wire.InvalidToken)
			} else if len(p.answers) != 1 {
				t.Errorf("%d answers, want another Retry", len(p.answers))
			}
			if err := p.endpoint.CheckEmpty(); err != nil {
				t.Error(err)
			}
		})
	}
}

// foreignToken is a good token under a secret that is not the server's.
func foreignToken(now monotime.Time, retry bool) []byte {
	key := protect.NewTokenKey(&[32]byte{99})
	t := &protect.Token{Retry: retry, Version: wire.Version1, IssuedAt: wallTime(now), Address: make([]byte, 18)}
	return key.Seal(nil, t, &[protect.TokenNonceLen]byte{})
}

// wallTime is that of an endpoint which has no other.
func wallTime(now monotime.Time) time.Time { return time.Unix(0, int64(now)) }

// Attack: token parsing where no token is asked for: a bad one does not keep
// the client out, and proves nothing (RFC 9000, Section 8.1.3).
func TestAttackTokenWithoutRetry(t *testing.T) {
	for _, token := range [][]byte{{1}, make([]byte, 60), make([]byte, 700)} {
		p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(20_000) })
		p.token = token
		p.start()
		data := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
		p.raw(data)
		if s := p.endpoint.Stats(); s.Accepted != 1 || s.InvalidToken != 1 {
			t.Fatalf("accepted %d, invalid tokens %d", s.Accepted, s.InvalidToken)
		}
		p.advance(5 * time.Second)
		if n := p.sentTo[puppetAddr]; n > 3*len(data) {
			t.Fatalf("a bad token bought %d bytes for %d", n, len(data))
		}
	}
}

// A valid token cannot be used by many: each use needs the address it was
// issued to, which has been proved, so it may. But it does not outlive its
// time on any of them.
func TestTokenReuseIsBounded(t *testing.T) {
	p := newServer(t, requireRetry)
	p.retried()
	data := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	p.raw(data)
	if p.endpoint.Stats().Accepted != 1 {
		t.Fatal("not accepted")
	}
	p.wantForgotten()
	p.raw(data)
	if p.endpoint.Stats().Accepted != 1 {
		t.Fatal("a token was good after its time")
	}
}

// retryTo makes a Retry packet for the puppet's client.
func retryTo(p *puppet, src wire.ConnectionID, token string) []byte {
	dst := p.remote
	b := wire.AppendRetry(nil, wire.Version1, &dst, &src, []byte(token))
	tag := protect.RetryTag(wire.Version1, &p.original, b)
	return append(b, tag[:]...)
}

// Attack: Retry packets to a client that are forged, empty, repeated or late
// (RFC 9000, Section 17.2.5.2).
func TestAttackRetryToClient(t *testing.T) {
	retry := retryTo
	tests := []struct {
		name   string
		attack func(p *puppet)
		takes  bool
	}{
		{"honest", func(p *puppet) { p.raw(retry(p, connID("retry-id"), "token")) }, true},
		{"wrong tag", func(p *puppet) {
			b := retry(p, connID("retry-id"), "token")
			b[len(b)-1] ^= 1
			p.raw(b)
		}, false},
		{"changed token", func(p *puppet) {
			b := retry(p, connID("retry-id"), "token")
			b[len(b)-20] ^= 1
			p.raw(b)
		}, false},
		{"empty token", func(p *puppet) { p.raw(retry(p, connID("retry-id"), "")) }, false},
		{"the client's own choice of ID", func(p *puppet) { p.raw(retry(p, p.original, "token")) }, false},
		{"a second one", func(p *puppet) {
			p.raw(retry(p, connID("retry-id"), "token"))
			sent := p.sent
			p.raw(retry(p, connID("second!!"), "token"))
			if p.sent != sent {
				p.t.Error("a second Retry was followed")
			}
		}, true},
		{"after an answer", func(p *puppet) {
			p.send(wire.InitialSpace, ping())
			p.raw(retry(p, connID("retry-id"), "token"))
		}, false},
		{"only a tag", func(p *puppet) { p.raw(retry(p, connID("retry-id"), "")[:23]) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newClient(t)
			p.start()
			p.frames = nil
			p.initialKeys(connID("retry-id"))
			if !tt.takes {
				p.initialKeys(p.original)
			}
			tt.attack(p)
			p.advance(2 * time.Second) // beyond the first probe timeout
			want := ""
			if tt.takes {
				want = "token"
			}
			if got := string(p.clientToken); got != want {
				t.Fatalf("the client's Initial packets carry token %q, want %q", got, want)
			}
			p.wantOpen()
		})
	}
}

// Attack: a Retry token that leaves little room in Initial packets, or none. A client goes on
// with what fits, and gives up in time without sending anything where nothing does.
func TestAttackLongRetryToken(t *testing.T) {
	for _, n := range []int{600, 1000, 1090, 1100, 1110, 1120, 1130, 1140, 1150, 1160, 1200, 5000} {
		p := newClient(t)
		p.start()
		p.frames = nil
		p.initialKeys(connID("retry-id"))
		token := strings.Repeat("x", n)
		p.raw(retryTo(p, connID("retry-id"), token))
		p.advance(2 * time.Second)
		p.wantOpen()
		if got := string(p.clientToken); got != token && got != "" {
			t.Fatalf("%d bytes: Initial packets have a token of %d", n, len(got))
		} else if got == "" && n <= 1000 {
			t.Fatalf("%d bytes: no Initial packets", n)
		}
		sent := p.sent
		p.advance(p.config.HandshakeTimeout)
		if !errors.As(p.conn.Closed(), new(*engine.HandshakeTimeoutError)) {
			t.Fatalf("%d bytes: ended with %v", n, p.conn.Closed())
		}
		if p.sent-sent > 50 {
			t.Fatalf("%d bytes: %d more datagrams", n, p.sent-sent)
		}
	}
}
