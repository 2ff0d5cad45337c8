package engine_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A server gives its client a token when the handshake is complete, another one if that gets
// lost, and again when it is half as old as it may be (RFC 9000, Section 8.1.3).
func TestNewTokens(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.MaxIdleTimeout = 1000 * time.Hour })
	p.conceal = func(f frame) bool { return f.kind() == wire.FrameNewToken }
	p.handshake()
	if len(p.newTokens) != 1 {
		t.Fatalf("%d tokens after the handshake", len(p.newTokens))
	}
	for range 5 { // what comes later is acknowledged, so that the frame counts as lost
		p.send(wire.AppSpace, ping())
		p.advance(100 * time.Millisecond)
		p.ack()
	}
	if len(p.newTokens) < 2 || bytes.Equal(p.newTokens[0], p.newTokens[1]) {
		t.Fatalf("%d tokens after the first was lost", len(p.newTokens))
	}
	p.conceal = nil
	p.advance(time.Second)
	p.ack()
	n := len(p.newTokens)
	for range 5 {
		p.send(wire.AppSpace, ping())
		p.advance(time.Hour)
		p.ack()
	}
	if len(p.newTokens) != n {
		t.Fatalf("%d more tokens within five hours", len(p.newTokens)-n)
	}
	p.advance(engine.NewTokenLifetime / 2)
	p.send(wire.AppSpace, ping())
	p.advance(100 * time.Millisecond)
	p.ack()
	if len(p.newTokens) != n+1 {
		t.Fatalf("%d more tokens after half a token's time, want 1", len(p.newTokens)-n)
	}
}

// A client that has moved gets a token for where it is now, when that address is proved.
func TestNewTokenAfterMove(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.ack()
	p.from(strangerAddr, func() {
		p.send(wire.AppSpace, ping())
		if len(p.newTokens) != 1 {
			t.Fatal("a token for an address that is not proved")
		}
		p.answerChallenges()
		p.advance(100 * time.Millisecond)
	})
	if len(p.newTokens) != 2 {
		t.Fatalf("%d tokens, want one for the new address", len(p.newTokens))
	}
	second := newServer(t, requireRetry)
	second.token, second.path.Remote = p.newTokens[1], strangerAddr
	second.handshake()
	if s := second.endpoint.Stats(); s.TokensAccepted != 1 || s.RetriesSent != 0 {
		t.Fatalf("the token for the new address: %+v", s)
	}
}

// answerChallenges answers what the endpoint has asked of the puppet's path.
func (p *puppet) answerChallenges() {
	p.t.Helper()
	for _, f := range p.frames {
		if f.kind() == wire.FramePathChallenge && f.to == p.path.Remote {
			p.send(wire.AppSpace, pathResponse(f.pathData()))
		}
	}
}

// newTokenOf returns a token of a server's connection.
func newTokenOf(t *testing.T) []byte {
	t.Helper()
	p := newServer(t)
	p.handshake()
	if len(p.newTokens) == 0 {
		t.Fatal("no token")
	}
	return p.newTokens[0]
}

// A client with a token of a connection before is not asked for another proof, and gets as
// much as it wants; there was no Retry packet, and the handshake does not say there was.
func TestNewTokenIsProof(t *testing.T) {
	token := newTokenOf(t)
	p := newServer(t, requireRetry, func(p *puppet) { p.server.NewTLS = fakeServerTLS(20_000) })
	p.token = token
	p.path.Remote = puppetAddr // at another port
	p.start()
	data := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	p.raw(data)
	if s := p.endpoint.Stats(); s.Accepted != 1 || s.RetriesSent != 0 || s.TokensAccepted != 1 || s.InvalidToken != 0 {
		t.Fatalf("%+v", s)
	}
	if !p.conn.AddressValidated() {
		t.Error("the address is not proved")
	}
	if n := p.sentTo[puppetAddr]; n <= 3*len(data) {
		t.Errorf("got %d bytes for %d, with a proof", n, len(data))
	}
	p = newServer(t)
	p.token = token
	p.handshake()
	if p.peer.RetrySrcID.Set || p.peer.OriginalDstID != wire.SomeID(p.original) {
		t.Errorf("connection IDs %v and %v", p.peer.OriginalDstID, p.peer.RetrySrcID)
	}
}

// Attack: tokens of NEW_TOKEN frames that prove nothing are as good as none (RFC 9000,
// Section 8.1.3): the client gets a connection, and three times what it sends.
func TestAttackNewTokens(t *testing.T) {
	seal := func(p *puppet, edit func(*protect.Token)) {
		a := puppetAddr.Addr().As16()
		token := &protect.Token{Version: wire.Version1, IssuedAt: wallTime(p.now), Address: a[:]}
		edit(token)
		p.token = protect.NewTokenKey(&[32]byte{3}).Seal(nil, token, &[protect.TokenNonceLen]byte{5})
	}
	age := func(d time.Duration) func(p *puppet) {
		return func(p *puppet) { seal(p, func(t *protect.Token) { t.IssuedAt = t.IssuedAt.Add(-d) }) }
	}
	for _, tt := range []struct {
		name  string
		token func(p *puppet)
		valid bool
	}{
		{"good", age(0), true},
		{"old", age(engine.NewTokenLifetime), true},
		{"too old", age(engine.NewTokenLifetime + time.Millisecond), false},
		{"of a server whose clock is ahead", age(-engine.MaxClockSkew), true},
		{"of the future", age(-engine.MaxClockSkew - time.Millisecond), false},
		{"of another version", func(p *puppet) { seal(p, func(t *protect.Token) { t.Version = wire.Version2 }) }, false},
		{"of another address", func(p *puppet) { seal(p, func(t *protect.Token) { t.Address[15]++ }) }, false},
		{"of an address with a port", func(p *puppet) { seal(p, func(t *protect.Token) { t.Address = append(t.Address, 1, 2) }) }, false},
		{"of no address", func(p *puppet) { seal(p, func(t *protect.Token) { t.Address = nil }) }, false},
		{"of another server", func(p *puppet) { p.token = foreignToken(p.now, false) }, false},
		{"with a byte changed", func(p *puppet) { age(0)(p); p.token[20] ^= 1 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(20_000) })
			tt.token(p)
			p.start()
			data := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
			p.raw(data)
			s := p.endpoint.Stats()
			if s.Accepted != 1 || (s.InvalidToken == 0) != tt.valid || (s.TokensAccepted == 1) != tt.valid {
				t.Fatalf("%+v", s)
			}
			p.advance(2 * time.Second)
			if n := p.sentTo[puppetAddr]; (n > 3*len(data)) != tt.valid {
				t.Fatalf("%d bytes bought %d", len(data), n)
			}
		})
	}
}

// Attack: a token that is used again, by whoever has seen it, proves nothing the second
// time, at none of the endpoints that share a guard (RFC 9000, Section 8.1.4).
func TestNewTokenOnce(t *testing.T) {
	token, used := newTokenOf(t), new(admission.UsedTokens)
	for i := range 3 {
		p := newServer(t, requireRetry, func(p *puppet) { p.used = used })
		p.token = token
		p.start()
		p.send(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
		if s := p.endpoint.Stats(); (s.Accepted == 1) != (i == 0) || (s.RetriesSent == 1) == (i == 0) {
			t.Fatalf("use %d: %+v", i, s)
		}
	}
}

// A client tells of the tokens it gets, and proves its address with one in all Initial
// packets, until a Retry packet brings another.
func TestClientTokens(t *testing.T) {
	var kept []string
	p := newClient(t, func(p *puppet) {
		p.config.KeepToken = func(v wire.Version, token []byte) { kept = append(kept, v.String()+string(token)) }
	})
	p.handshake()
	p.send(wire.AppSpace, newToken("first"), newToken("second"), newToken(string(make([]byte, engine.MaxClientToken+1))))
	if len(kept) != 2 || kept[0] != "v1first" || kept[1] != "v1second" {
		t.Fatalf("kept %q", kept)
	}
	p.wantOpen()
}

// A client's token is in all its Initial packets.
func TestClientUsesToken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		set   func(c *engine.Conn)
		token string
	}{
		{"one", func(c *engine.Conn) { c.SetToken(wire.Version1, []byte("token")) }, "token"},
		{"none", func(c *engine.Conn) { c.SetToken(wire.Version1, nil) }, ""},
		{"of another version", func(c *engine.Conn) { c.SetToken(wire.Version2, []byte("token")) }, ""},
		{"too long", func(c *engine.Conn) { c.SetToken(wire.Version1, make([]byte, engine.MaxClientToken+1)) }, ""},
		{"the longest", func(c *engine.Conn) { c.SetToken(wire.Version1, bytes.Repeat([]byte("x"), engine.MaxClientToken)) },
			string(bytes.Repeat([]byte("x"), engine.MaxClientToken))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newClient(t, func(p *puppet) { p.dialled = tt.set })
			p.start()
			if got := string(p.clientToken); got != tt.token {
				t.Fatalf("the first Initial packet has token %q", got)
			}
			p.clientToken = nil
			p.advance(5 * time.Second) // probes
			if got := string(p.clientToken); got != tt.token {
				t.Fatalf("later Initial packets have token %q", got)
			}
			p.frames = nil
			p.initialKeys(connID("retry-id"))
			p.raw(retryTo(p, connID("retry-id"), "of Retry"))
			if got := string(p.clientToken); got != "of Retry" {
				t.Fatalf("after a Retry packet, Initial packets have token %q", got)
			}
		})
	}
}
