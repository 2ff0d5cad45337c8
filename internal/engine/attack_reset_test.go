package engine_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// lostPacket is a 1-RTT packet of n bytes for a connection nobody has.
func lostPacket(n int) []byte {
	b := bytes.Repeat([]byte{0xee}, n)
	if n > 0 {
		b[0] = 0x40
	}
	return b
}

// Attack: stateless reset as amplifier or in a loop. What answers a packet of
// no connection is shorter than it, of the form of a packet, and nothing
// answers the shortest (RFC 9000, Section 10.3.3).
func TestAttackResetShrinks(t *testing.T) {
	for n := range 1500 {
		p := newServer(t)
		p.raw(lostPacket(n))
		switch {
		case len(p.answers) == 0 && n > engine.MinResetLen:
			t.Fatalf("no answer to %d bytes", n)
		case len(p.answers) == 0:
			continue
		}
		a := p.answers[0]
		if len(p.answers) != 1 || len(a) >= n || len(a) < engine.MinResetLen || len(a) > engine.MaxResetLen {
			t.Fatalf("%d answers to %d bytes, the first of %d", len(p.answers), n, len(a))
		}
		if a[0]&0xc0 != 0x40 {
			t.Fatalf("the first byte is %#x", a[0])
		}
	}
}

// Attack: a reset loop between two endpoints ends.
func TestAttackResetLoopEnds(t *testing.T) {
	a, b := newServer(t), newServer(t)
	data := lostPacket(1400)
	rounds := 0
	for ; len(data) > 0; rounds++ {
		a.answers = nil
		a.raw(data)
		data = nil
		if len(a.answers) > 0 {
			data = a.answers[0]
		}
		a, b = b, a
	}
	if rounds < 2 || rounds > engine.MaxResetLen {
		t.Fatalf("it took %d rounds", rounds)
	}
}

// Attack: stateless reset flood: a bounded number is sent in a second.
func TestAttackResetFlood(t *testing.T) {
	p := newServer(t)
	for range 3 {
		p.answers = nil
		for range 4 * engine.ResetsPerSecond {
			p.raw(lostPacket(100))
		}
		if n := len(p.answers); n != engine.ResetsPerSecond {
			t.Fatalf("%d resets within a second", n)
		}
		p.now = p.now.Add(time.Second)
	}
	p.answers = nil
	for range 1000 { // without a poll between them
		p.deliver(lostPacket(100))
	}
	p.poll()
	if n := len(p.answers); n != engine.MaxResetAnswers {
		t.Fatalf("%d answers were kept", n)
	}
}

// serverIDs are connection IDs whose second byte says the server: this one is 7.
type serverIDs struct{ connid.Plain }

func (g serverIDs) Shard(id []byte, shards int) (int, bool) {
	if len(id) < 2 || id[1] != 7 {
		return 0, false
	}
	return g.Plain.Shard(id, shards)
}

// Attack: stateless reset oracle: a packet with the connection ID of another server's
// connection, which shares the key, learns nothing (RFC 9000, Section 21.11), and a flood of
// them does not use up the resets that others wait for.
func TestAttackResetOracle(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.ids = serverIDs{connid.Plain{Length: 8}} })
	b := lostPacket(100)
	for other := range 256 {
		if b[2] = byte(other); other != 7 {
			p.raw(b)
		}
	}
	if len(p.answers) != 0 {
		t.Fatalf("%d resets of other servers' connections", len(p.answers))
	}
	b[2] = 7
	p.raw(b)
	if len(p.answers) != 1 {
		t.Fatalf("%d resets of a connection of this server's", len(p.answers))
	}
}

// A client, which has no key that outlives it, sends no resets.
func TestClientSendsNoResets(t *testing.T) {
	p := newClient(t)
	p.raw(lostPacket(100))
	if len(p.answers) != 0 {
		t.Fatal("a client sent a reset")
	}
}

// reset makes a stateless reset with a token.
func reset(token wire.ResetToken, n int) []byte {
	b := lostPacket(n)
	copy(b[n-len(token):], token[:])
	return b
}

func withResetToken(p *puppet) {
	p.params.StatelessResetToken = wire.ResetToken([]byte("the reset token!"))
	p.params.HasStatelessResetToken = true
}

// A reset with the right token from the peer's address ends the connection,
// whatever connection ID it carries, and is not answered.
func TestStatelessReset(t *testing.T) {
	for _, toOwnID := range []bool{true, false} {
		p := newClient(t, withResetToken)
		p.handshake()
		b := reset(p.params.StatelessResetToken, 40)
		if toOwnID {
			copy(b[1:], p.remote.Bytes())
		}
		p.raw(b)
		if err := p.conn.Closed(); !errors.Is(err, engine.ErrStatelessReset) {
			t.Fatalf("ended with %v", err)
		}
		p.silence()
		if len(p.answers) != 0 {
			t.Fatal("a reset was answered")
		}
		p.wantForgotten()
	}
}

// Attack: stateless resets that are guessed, come from elsewhere, or carry the
// token of an ID not in use end nothing (RFC 9000, Section 10.3.1). Tokens are
// found by Go's keyed hash of all their bytes, so the time a guess takes does
// not tell how much of it was right.
func TestAttackResetForged(t *testing.T) {
	tests := map[string]func(p *puppet){
		"one bit wrong": func(p *puppet) {
			token := p.params.StatelessResetToken
			for i := range 8 * len(token) {
				guess := token
				guess[i/8] ^= 1 << (i % 8)
				p.raw(reset(guess, 40))
			}
		},
		"other address": func(p *puppet) {
			p.from(strangerAddr, func() { p.raw(reset(p.params.StatelessResetToken, 40)) })
		},
		"too short": func(p *puppet) { p.raw(reset(p.params.StatelessResetToken, engine.MinResetLen-1)) },
		"ID not in use": func(p *puppet) {
			p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
			p.raw(reset(tokenOf(peerID(1)), 40))
		},
		"retired ID": func(p *puppet) {
			p.send(wire.AppSpace, newConnID(1, 1, peerID(1)))
			p.raw(reset(p.params.StatelessResetToken, 40))
		},
		"zeros": func(p *puppet) { p.raw(lostPacket(40)[:1:1]); p.raw(append([]byte{0x40}, make([]byte, 40)...)) },
	}
	for name, attack := range tests {
		t.Run(name, func(t *testing.T) {
			p := newClient(t, withResetToken)
			p.handshake()
			attack(p)
			p.wantOpen()
			if n := p.endpoint.Stats().ResetsReceived; n != 0 {
				t.Fatalf("%d resets were recognised", n)
			}
		})
	}
}

// TestResetToAnothersID: a reset ends the connection whose token it has, though by chance it
// carries the ID of another one that is open, about to close, or closed.
func TestResetToAnothersID(t *testing.T) {
	for name, end := range map[string]func(p *puppet, c *engine.Conn){
		"open":    func(*puppet, *engine.Conn) {},
		"leaving": func(p *puppet, c *engine.Conn) { c.CloseAfterSending(p.now, 1, "") },
		"closed":  func(p *puppet, c *engine.Conn) { c.Close(p.now, 1, "") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newClient(t, withResetToken, func(p *puppet) { p.ids = connid.Plain{Length: 1} })
			p.handshake()
			ours := p.conn
			other, err := p.endpoint.Dial(p.now, p.path, p.config, &sim.FakeTLS{Side: wire.ClientSide})
			if err != nil {
				t.Fatal(err)
			}
			id := otherID(t, p.endpoint, other)
			end(p, other)
			b := reset(p.params.StatelessResetToken, 40)
			copy(b[1:], id.Bytes())
			if got := p.endpoint.HandleDatagram(p.now, engine.Datagram{Path: p.path, Data: b}); got != ours {
				t.Errorf("%p is to be polled, want %p", got, ours)
			}
			if err := ours.Closed(); !errors.Is(err, engine.ErrStatelessReset) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// otherID finds an ID of one byte that leads to a connection.
func otherID(t *testing.T, e *engine.Endpoint, c *engine.Conn) wire.ConnectionID {
	for b := range 256 {
		if e.Owner([]byte{0x40, byte(b)}) == c {
			id, _ := wire.NewConnectionID([]byte{byte(b)})
			return id
		}
	}
	t.Fatal("no ID leads to the other connection")
	return wire.ConnectionID{}
}

// The token in a NEW_CONNECTION_ID frame counts from when its ID is in use.
func TestResetTokenOfNewID(t *testing.T) {
	p := newClient(t, withResetToken)
	p.handshake()
	p.send(wire.AppSpace, newConnID(1, 1, peerID(1)))
	p.raw(reset(tokenOf(peerID(1)), 40))
	if err := p.conn.Closed(); !errors.Is(err, engine.ErrStatelessReset) {
		t.Fatalf("ended with %v", err)
	}
}

// A server that lost its state resets its old clients: same key, same tokens.
func TestServerResetsAfterRestart(t *testing.T) {
	p := newServer(t)
	p.handshake()
	lost := p.packet(wire.AppSpace, ping(), padding(100))
	restarted := newServer(t)
	restarted.raw(lost)
	if len(restarted.answers) != 1 {
		t.Fatal("no reset")
	}
	a := restarted.answers[0]
	if !p.peer.HasStatelessResetToken || !bytes.HasSuffix(a, p.peer.StatelessResetToken[:]) {
		t.Fatalf("the reset ends in %x, the token is %x", a[len(a)-16:], p.peer.StatelessResetToken)
	}
}

// A reset is one with any header, as other versions may use a long one (RFC 9000,
// Section 10.3).
func TestResetWithLongHeader(t *testing.T) {
	for _, v := range []wire.Version{unknownVersion, wire.Version1, 0} {
		p := newClient(t, withResetToken)
		p.handshake()
		b := longPacket(v, "somebody", "else", 100)
		copy(b[len(b)-16:], p.params.StatelessResetToken[:])
		p.from(strangerAddr, func() { p.raw(b) })
		p.wantOpen()
		p.raw(b)
		if err := p.conn.Closed(); !errors.Is(err, engine.ErrStatelessReset) {
			t.Errorf("%v: ended with %v", v, err)
		}
	}
}

// Nobody resets a connection that he has, open or closed: a packet that does not open is
// answered by no reset before the connection is forgotten (RFC 9000, Sections 11 and 21.11).
func TestNoResetForKnown(t *testing.T) {
	p := newServer(t)
	p.handshake()
	b := append(append([]byte{0x40}, p.remote.Bytes()...), make([]byte, 100)...)
	for _, state := range []string{"open", "closing"} {
		for range 10 {
			p.raw(b)
		}
		if n := len(p.answers); n != 0 || p.endpoint.Stats().ResetsSent != 0 {
			t.Fatalf("%s: %d answers", state, n)
		}
		p.conn.Close(p.now, 7, "")
		p.poll()
	}
	p.wantForgotten()
	p.raw(b)
	if n := len(p.answers); n != 1 {
		t.Fatalf("%d answers when the connection is forgotten", n)
	}
}
