package recovery

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// A packet that arrives after it counted as lost is told of, once, and makes the next
// ones count as lost later.
func TestLatePacket(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 8)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, span(1, 5)) // five overtook number 0
	f.wantFates(pns{1, 2, 3, 4, 5}, pns{0})
	f.ack(wire.AppSpace, span(0, 6))
	f.wantFates(pns{6}, nil)
	f.ack(wire.AppSpace, span(0, 7))
	if f.late != 1200 {
		t.Fatalf("%d bytes came late, want 1200", f.late)
	}
	f.wantFates(pns{7}, nil)
	f.send(wire.AppSpace, 10)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, span(9, 13)) // as many
	f.wantFates(pns{9, 10, 11, 12, 13}, nil)
	f.ack(wire.AppSpace, span(9, 17)) // more
	f.wantFates(pns{14, 15, 16, 17}, pns{8})
}

// What is learned of the order of packets has bounds, and is forgotten when packets
// stay lost.
func TestLateBounds(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1000)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, span(1, 998))
	f.wait(1000 * ms)
	f.ack(wire.AppSpace, span(0, 999))
	if f.path.packetThreshold() != maxPacketThreshold {
		t.Fatalf("threshold %d, want %d", f.path.packetThreshold(), maxPacketThreshold)
	}
	if got, want := f.path.lossDelay(), f.path.RTT.Latest*3/2; got > want {
		t.Fatalf("packets are waited for %v, the most is %v", got, want)
	}
	f.send(wire.AppSpace, 1000)
	f.ack(wire.AppSpace, one(1998))
	f.ack(wire.AppSpace, one(1999))
	if f.path.packetThreshold() != packetThreshold || f.path.lossDelay() != f.path.RTT.LossDelay() {
		t.Fatal("the thresholds are not the usual ones again")
	}
}

// What is learned of one path's order says nothing about another.
func TestLateByPath(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1000)
	f.use(2)
	f.send(wire.AppSpace, 20)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, span(1, 998))
	f.wait(1000 * ms)
	f.ack(wire.AppSpace, span(0, 999))
	if f.path.packetThreshold() != packetThreshold || f.PathState(1).packetThreshold() != maxPacketThreshold {
		t.Fatal("a path's order counts for another")
	}
	f.wantFates(f.acked, pns{0})
	f.ack(wire.AppSpace, one(1010))
	f.wantFates(pns{1010}, pns{1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007})
}
