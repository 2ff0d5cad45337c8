package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// ect0 is how packets are marked while marks work (RFC 3168, Section 5).
const ect0 path.ECN = 2

// ackECN acknowledges everything with these counts.
func (p *puppet) ackECN(ect0, ect1, ce uint64) {
	p.t.Helper()
	counts := wire.ECNCounts{ECT0: ect0, ECT1: ect1, CE: ce}
	p.send(wire.AppSpace, wire.AppendAck(nil, 1000, 0, p.spaces[wire.AppSpace].received, &counts))
}

// provoke makes the endpoint send an ack-eliciting packet.
func (p *puppet) provoke() {
	p.t.Helper()
	p.send(wire.AppSpace, retireConnID(p.retired))
	p.retired++
	p.advance(time.Millisecond)
}

// Attack: counts that cannot be true end the use of ECN, and nothing else
// (RFC 9000, Section 13.4.2.1). True ones keep it.
func TestAttackECNCounts(t *testing.T) {
	tests := []struct {
		name  string
		reply func(p *puppet, sent uint64)
		keeps bool
	}{
		{"true", func(p *puppet, n uint64) { p.ackECN(n, 0, 0) }, true},
		{"true, congested", func(p *puppet, n uint64) { p.ackECN(n-1, 0, 1) }, true},
		{"true, after a challenge", func(p *puppet, n uint64) {
			p.send(wire.AppSpace, pathChallenge("are you?"))
			p.ackECN(p.marked, 0, 0)
		}, true},
		{"none", func(p *puppet, n uint64) { p.ack() }, false},
		{"too few", func(p *puppet, n uint64) { p.ackECN(0, 0, 0) }, false},
		{"bleached to ECT(1)", func(p *puppet, n uint64) { p.ackECN(0, n, 0) }, false},
		{"more than sent", func(p *puppet, n uint64) { p.ackECN(n+1000, 0, 0) }, false},
		{"far more than sent", func(p *puppet, n uint64) { p.ackECN(wire.MaxVarint, 0, wire.MaxVarint) }, false},
		{"falling", func(p *puppet, n uint64) { p.ackECN(n, 0, 0); p.provoke(); p.ackECN(n-1, 0, 0) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, func(p *puppet) { p.retired = 1 })
			p.start()
			p.flush()
			p.flush() // nothing acknowledged in 1-RTT packets so far
			if p.ecn != ect0 {
				t.Fatalf("packets are marked %d from the start", p.ecn)
			}
			tt.reply(p, p.marked)
			p.provoke()
			if got := p.ecn == ect0; got != tt.keeps {
				t.Fatalf("packets are marked %d", p.ecn)
			}
			p.wantOpen()
		})
	}
}

// A mark that was seen shrinks the window (RFC 9002, Section 7.1).
func TestECNShrinksWindow(t *testing.T) {
	p := newServer(t)
	p.start()
	p.flush()
	p.flush()
	before := p.conn.Stats().CongestionWindow
	p.ackECN(p.marked-1, 0, 1)
	if got := p.conn.Stats().CongestionWindow; got >= before {
		t.Fatalf("the window went from %d to %d", before, got)
	}
}

// The endpoint counts the marks it receives and reports them.
func TestECNReported(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for _, ecn := range []path.ECN{2, 2, 3, 1, 0, 3} {
		b := p.packet(wire.AppSpace, ping())
		p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: b, Path: p.path, ECN: ecn})
	}
	p.poll()
	var a wire.Ack
	for _, f := range p.frames {
		if f.kind() == wire.FrameAckECN {
			wire.ConsumeAck(f.kind(), f.body(), &a)
		}
	}
	if a.Counts != (wire.ECNCounts{ECT0: 2, ECT1: 1, CE: 2}) {
		t.Fatalf("reported %+v", a.Counts)
	}
}

// An ACK frame whose largest number is not larger than that of one before has older counts,
// which fail nothing (RFC 9000, Section 13.4.2.1).
func TestECNOldAcknowledgment(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.retired, p.rtt = 1, 40*time.Millisecond })
	p.start()
	p.flush()
	p.flush()
	p.provoke()
	p.provoke()
	largest := p.largest(wire.AppSpace)
	one := func(pn wire.PacketNumber, ect0 uint64) {
		counts := wire.ECNCounts{ECT0: ect0}
		p.send(wire.AppSpace, wire.AppendAck(nil, 1000, 0, []wire.PacketRange{{Smallest: pn, Largest: pn}}, &counts))
	}
	n := p.marked
	one(largest, n)
	one(largest-1, n-1)
	if p.provoke(); p.ecn != ect0 {
		t.Fatalf("packets are marked %d", p.ecn)
	}
	p.wantOpen()
}
