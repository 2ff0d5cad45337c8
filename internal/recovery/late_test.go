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
// stay lost, or with the path.
func TestLateBounds(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1000)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, span(1, 998))
	f.wait(1000 * ms)
	f.ack(wire.AppSpace, span(0, 999))
	if f.d.packetThreshold() != maxPacketThreshold {
		t.Fatalf("threshold %d, want %d", f.d.packetThreshold(), maxPacketThreshold)
	}
	if got, want := f.d.lossDelay(), f.d.RTT.Latest*3/2; got > want {
		t.Fatalf("packets are waited for %v, the most is %v", got, want)
	}
	f.send(wire.AppSpace, 1000)
	f.ack(wire.AppSpace, one(1998))
	f.ack(wire.AppSpace, one(1999))
	if f.d.packetThreshold() != packetThreshold || f.d.lossDelay() != f.d.RTT.LossDelay() {
		t.Fatal("the thresholds are not the usual ones again")
	}
	f.d.ForgetOrder()
	f.send(wire.AppSpace, 10)
	f.ack(wire.AppSpace, one(2009))
	f.ack(wire.AppSpace, span(1000, 2009))
	if f.late != 1200+1200*8 { // but for what was lost on the other path
		t.Fatalf("%d bytes came late", f.late)
	}
}
