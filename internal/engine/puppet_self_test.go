package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestPuppet shows the puppet at work in both roles.
func TestPuppet(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		t.Run(side.String(), func(t *testing.T) {
			p := newRole(t, side)
			p.handshake()
			p.silence()
			id := wire.NewStreamID(p.side, false, 0)
			p.send(wire.AppSpace, stream(id, 0, "ping", true))
			if len(p.events) != 2 || p.events[0].Kind != engine.EventStreamOpened || p.events[1].Kind != engine.EventStreamReadable {
				t.Fatalf("events %+v", p.events)
			}
			s := p.events[0].Stream
			if _, err := s.Send.WriteLast([]byte("pong")); err != nil {
				t.Fatal(err)
			}
			p.conn.StreamWritten(s)
			p.poll()
			p.want(stream(id, 0, "pong", true))
			if !p.wasAcked(wire.AppSpace, p.spaces[wire.AppSpace].next-1) {
				t.Fatal("the answer brought no acknowledgment")
			}
			p.ack()
			p.silence()
			p.send(wire.AppSpace, ping())
			if p.wasAcked(wire.AppSpace, p.spaces[wire.AppSpace].next-1) {
				t.Fatal("a single packet was acknowledged at once")
			}
			p.advance(engine.MaxAckDelay)
			if !p.wasAcked(wire.AppSpace, p.spaces[wire.AppSpace].next-1) {
				t.Fatal("the packet was not acknowledged in time")
			}
			p.send(wire.AppSpace, connClose(0))
			p.silence()
			p.wantForgotten()
			if at := p.now.Sub(puppetStart); at > 2*time.Minute {
				t.Fatalf("took %v", at)
			}
		})
	}
}
