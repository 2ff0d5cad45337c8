package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Attack: ACK of packets never sent, at every level in both roles: a
// PROTOCOL_VIOLATION (RFC 9000, Section 13.1).
func TestAttackAckOfUnsent(t *testing.T) {
	for _, largest := range []wire.PacketNumber{1, 1000, wire.MaxVarint} {
		forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
			base := p.largest(space) + 1 // the first not sent
			p.send(space, ackOne(0, min(base+largest-1, wire.MaxVarint)))
			p.wantClose(wire.ProtocolViolation)
			p.wantForgotten()
		})
	}
}

// Attack: ACK ranges that reach below packet 0.
func TestAttackAckBelowZero(t *testing.T) {
	tests := map[string]frame{
		"first range": {byte(wire.FrameAck), 2, 0, 0, 3},
		"gap":         {byte(wire.FrameAck), 2, 0, 1, 0, 1, 0},
		"length":      {byte(wire.FrameAck), 2, 0, 1, 0, 0, 1},
		"huge gap":    append(append(frame{byte(wire.FrameAck), 2, 0, 1, 0}, wire.AppendVarint(nil, wire.MaxVarint)...), 0),
		"count":       append(frame{byte(wire.FrameAck), 2, 0}, append(wire.AppendVarint(nil, wire.MaxVarint), 0)...),
		"no counts":   {byte(wire.FrameAckECN), 0, 0, 0, 0, 1, 1},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			p := newServer(t)
			p.handshake()
			p.send(wire.AppSpace, f)
			p.wantClose(wire.FrameEncodingError)
		})
	}
}

// serve makes the real endpoint send n bytes on a stream of the puppet's.
func (p *puppet) serve(n int) *engine.Stream {
	p.t.Helper()
	p.send(wire.AppSpace, stream(wire.NewStreamID(p.side, false, 0), 0, "go", true))
	s := p.events[0].Stream
	if _, err := s.Send.WriteLast(make([]byte, n)); err != nil {
		p.fatal("%v", err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	return s
}

// Attack: optimistic ACK. A peer that acknowledges a whole range, received or
// not, meets a packet number that was left out (RFC 9000, Section 21.4).
func TestAttackOptimisticAck(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		t.Run(side.String(), func(t *testing.T) {
			p := newRole(t, side, func(p *puppet) {
				p.params.InitialMaxData, p.params.InitialMaxStreamDataBidiLocal = 1<<30, 1<<30
			})
			p.handshake()
			p.serve(2 << 20)
			for range 2000 {
				if p.conn.Closed() != nil {
					break
				}
				p.send(wire.AppSpace, ackOne(0, p.largest(wire.AppSpace)))
				p.advance(10 * time.Millisecond)
			}
			p.wantClose(wire.ProtocolViolation)
		})
	}
}

// The same transfer with honest acknowledgments goes on to its end, so it is
// the lie that ends it above; and numbers are left out again and again.
func TestHonestAck(t *testing.T) {
	p := newServer(t, func(p *puppet) {
		p.params.InitialMaxData, p.params.InitialMaxStreamDataBidiLocal = 1<<30, 1<<30
	})
	p.handshake()
	p.serve(2 << 20)
	for range 2000 {
		p.ack()
		p.advance(10 * time.Millisecond)
	}
	p.wantOpen()
	end := uint64(0)
	for _, f := range p.frames {
		if f.kind().IsStream() {
			end = max(end, f.stream().Offset+uint64(len(f.stream().Data)))
		}
	}
	if end != 2<<20 {
		t.Fatalf("%d bytes arrived", end)
	}
	if n := len(p.spaces[wire.AppSpace].received); n < 3 {
		t.Fatalf("%d packet numbers were left out", n-1)
	}
}

// Attack: ACK ranges. Packets that arrive with every other number missing
// make a bounded number of ranges, and the ACK frames stay in proportion.
func TestAttackAckRanges(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for range 5000 {
		p.spaces[wire.AppSpace].next++
		p.send(wire.AppSpace, ping())
	}
	if n := p.conn.Held().AckRanges; n > engine.MaxAckRanges {
		t.Fatalf("%d ranges", n)
	}
	if n := len(p.spaces[wire.AppSpace].acked); n > engine.MaxAckRanges || n < 2 {
		t.Fatalf("%d ranges are acknowledged", n)
	}
	p.wantOpen()
}

// Attack: replay. A packet is processed once, however old it is and however
// many ranges there are (RFC 9000, Section 12.3).
func TestAttackReplay(t *testing.T) {
	for ranges := engine.MaxAckRanges - 2; ranges < engine.MaxAckRanges+3; ranges++ {
		p := newServer(t)
		p.handshake()
		first := p.spaces[wire.AppSpace].next
		base := first + 500
		p.spaces[wire.AppSpace].next = base
		for range ranges {
			p.spaces[wire.AppSpace].next++
			p.send(wire.AppSpace, ping())
		}
		for _, pn := range []wire.PacketNumber{base - 3, base - 100, first + 2, first, base, base + 40, base - 1} {
			old := p.packetNumbered(wire.AppSpace, pn, ping())
			p.raw(old)
			before := p.conn.Stats()
			for range 3 {
				p.raw(old)
			}
			after := p.conn.Stats()
			if after.ReceivedPackets != before.ReceivedPackets || after.Duplicates != before.Duplicates+3 {
				t.Errorf("%d ranges, packet %d: processed %d times more, %d duplicates were counted", ranges, pn-base,
					after.ReceivedPackets-before.ReceivedPackets, after.Duplicates-before.Duplicates)
			}
		}
	}
}

// Attack: ACK metadata retention. A peer that acknowledges nothing of what
// answers its packets makes the connection fall silent in time, not grow.
func TestAttackAckRetention(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for range 20_000 {
		p.send(wire.AppSpace, ping())
		p.send(wire.AppSpace, ping())
		p.frames = p.frames[:0]
	}
	if n := p.conn.Held().Tracked; n > 5000 {
		t.Fatalf("%d packets are waiting for news", n)
	}
	p.wantOpen()
	p.ack()
	p.send(wire.AppSpace, ping())
	p.send(wire.AppSpace, ping())
	if last := p.spaces[wire.AppSpace].next - 1; !p.wasAcked(wire.AppSpace, last) {
		t.Fatal("no acknowledgment, though the peer has acknowledged again")
	}
}

// Attack: ACK floods, of everything known again and again: nothing is sent and
// nothing grows.
func TestAttackAckFlood(t *testing.T) {
	p := newServer(t)
	p.handshake()
	before, sent := p.conn.Held(), p.sent
	for range 3000 {
		p.send(wire.AppSpace, p.ackFrame(wire.AppSpace), p.ackFrame(wire.AppSpace))
	}
	if p.sent != sent || p.conn.Held() != before {
		t.Fatalf("%d datagrams were sent; held %+v, before %+v", p.sent-sent, p.conn.Held(), before)
	}
}

// An ACK delay that no peer can mean does no harm.
func TestAttackAckDelay(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.params.AckDelayExponent = 20 })
	p.handshake()
	p.send(wire.AppSpace, pathChallenge("an event"))
	p.advance(50 * time.Millisecond)
	f := wire.AppendAck(nil, 1000, wire.MaxVarint, p.spaces[wire.AppSpace].received, nil)
	p.send(wire.AppSpace, f)
	if rtt := p.conn.Stats().SmoothedRTT; rtt < 0 || rtt > time.Second {
		t.Fatalf("smoothed round-trip time %v", rtt)
	}
	p.wantOpen()
}

// Attack: acknowledgments that leave every other packet out. However many gaps a
// peer makes in a stream, as many as the bound are remembered, and all of the
// stream arrives.
func TestAttackAckGaps(t *testing.T) {
	for _, n := range []int{engine.MaxSendGaps, 3 * engine.MaxSendGaps} {
		p := costServer(t, 2*n)
		numbers := everyOther(inFlight(p, 2*n, 1))
		for i := 0; i < len(numbers); i += 300 {
			ackInOrder(p, numbers[i:min(i+300, len(numbers))])
			if got := p.conn.Held().SendGaps; got > engine.MaxSendGaps {
				t.Fatalf("%d gaps are remembered", got)
			}
		}
		p.poll()
		for range 3000 {
			p.ack()
			p.advance(10 * time.Millisecond)
			if p.told(engine.EventStreamSent) {
				break
			}
		}
		if got := p.conn.Held().SendGaps; !p.told(engine.EventStreamSent) || got != 0 {
			t.Fatalf("the stream has not arrived; %d gaps are remembered", got)
		}
	}
}

// told reports whether an event of this kind came.
func (p *puppet) told(kind engine.EventKind) bool {
	return slices.ContainsFunc(p.events, func(e engine.Event) bool { return e.Kind == kind })
}

// What waits for an acknowledgment is bounded in bytes and in packets, however much
// the peer's flow control lets through and however it has acknowledged before.
func TestAttackGrownWindow(t *testing.T) {
	const most = 400_000
	p := newServer(t, func(p *puppet) {
		p.params.InitialMaxData, p.params.InitialMaxStreamDataBidiLocal = 1<<40, 1<<40
		p.config.MaxCongestionWindow = most
	})
	p.handshake()
	p.serve(20 << 20)
	for range 100 {
		p.ack()
		p.advance(10 * time.Millisecond)
	}
	p.frames = nil
	for range 100 { // silence
		p.advance(time.Millisecond)
	}
	if s := p.conn.Stats(); s.CongestionWindow != most || s.BytesInFlight > most+1500 {
		t.Fatalf("window %d, in flight %d, the most is %d", s.CongestionWindow, s.BytesInFlight, most)
	}
	p.wantOpen()
}
