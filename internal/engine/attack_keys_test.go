package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// update makes the puppet use the next keys. lie makes it do so without the
// acknowledgment it would need.
func (p *puppet) update(lie bool) {
	p.t.Helper()
	if lie {
		p.keys.OnAcked(p.spaces[wire.AppSpace].next)
	}
	if err := p.keys.Update(); err != nil {
		p.fatal("%v", err)
	}
}

// Either side may update keys again and again, as long as each update was
// answered (RFC 9001, Section 6).
func TestKeyUpdates(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.ignore[wire.FramePing] = true // asks now and then for an ACK of its ACKs
		p.send(wire.AppSpace, ping(), ping())
		p.advance(engine.MaxAckDelay)
		for i := range uint64(20) {
			if i%2 == 0 {
				p.update(false)
			} else if err := p.conn.UpdateKeys(p.now); err != nil {
				t.Fatalf("%v: update %d: %v", side, i, err)
			}
			p.send(wire.AppSpace, pathChallenge("new keys"))
			p.wantKind(wire.FramePathResponse)
			p.ack()
			p.send(wire.AppSpace, ping())
			p.send(wire.AppSpace, ping()) // answered at once, in the new phase
			p.wantOpen()
			if n := p.conn.Stats().KeyUpdates; n < i+1 {
				t.Fatalf("%v: %d updates, want %d", side, n, i+1)
			}
			p.advance(time.Second) // the old keys go
		}
	}
}

// UpdateKeys waits for the handshake, and for the answer to the update before.
func TestKeyUpdateTooSoon(t *testing.T) {
	p := newClient(t)
	p.start()
	if err := p.conn.UpdateKeys(p.now); err != engine.ErrKeyUpdateTooSoon {
		t.Fatalf("in the handshake: %v", err)
	}
	p = newClient(t)
	p.handshake()
	if err := p.conn.UpdateKeys(p.now); err != nil {
		t.Fatal(err)
	}
	if err := p.conn.UpdateKeys(p.now); err != engine.ErrKeyUpdateTooSoon {
		t.Fatalf("twice: %v", err)
	}
}

// Attack: key update flood. A peer that updates twice before it can know that
// the first update arrived is stopped (RFC 9001, Section 6.2).
func TestAttackKeyUpdateFlood(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.update(true)
	p.queue(wire.AppSpace, ping())
	p.update(true)
	p.queue(wire.AppSpace, ping())
	p.deaf = true // its last words are in keys that the puppet has left
	p.poll()
	p.wantClosedWith(wire.KeyUpdateError)
	p.wantForgotten()
}

// Attack: packets of the next phase that are not authentic update nothing.
func TestAttackForgedKeyPhase(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for range 500 {
		b := p.packet(wire.AppSpace, ping(), padding(40))
		b[0] ^= 0x04 // the phase bit, under header protection
		p.raw(b)
	}
	if n := p.conn.Stats().KeyUpdates; n != 0 {
		t.Fatalf("%d updates", n)
	}
	p.wantOpen()
	p.send(wire.AppSpace, pathChallenge("still on"))
	p.wantKind(wire.FramePathResponse)
}

// Attack: old keys for new packets. Once a phase was begun, packets in the
// phase before are late ones with lower numbers, or not taken (RFC 9001,
// Section 6.4).
func TestAttackOldKeys(t *testing.T) {
	p := newServer(t)
	p.handshake()
	s := &p.spaces[wire.AppSpace]
	late := p.packetNumbered(wire.AppSpace, s.next, ping())
	forged := p.packetNumbered(wire.AppSpace, s.next+20, ping())
	s.next += 10
	p.update(true)
	p.send(wire.AppSpace, ping())
	for _, packet := range []struct {
		data []byte
		want uint64
	}{{forged, 0}, {late, 1}, {late, 0}} {
		taken := p.conn.Stats().ReceivedPackets
		p.raw(packet.data)
		if got := p.conn.Stats().ReceivedPackets - taken; got != packet.want {
			t.Fatalf("%d packets were taken, want %d", got, packet.want)
		}
	}
	p.wantOpen()
}
