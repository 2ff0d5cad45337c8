package recovery

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

type pns = []wire.PacketNumber

// A packet is lost when one three numbers later is acknowledged (RFC 9002,
// Section 6.1.1), not before.
func TestPacketThreshold(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 10)
	f.wait(40 * ms)
	res := f.ack(wire.AppSpace, one(2))
	f.wantFates(pns{2}, nil)
	if !res.NewlyAcked || !res.LargestNew || res.LargestSentAt != t0 || res.LargestPath != f.path.ID {
		t.Fatalf("%+v", res)
	}
	res = f.ack(wire.AppSpace, one(3))
	if f.lostBytes != 1200 || f.lostSentAt != t0 || res.Persistent {
		t.Fatalf("%+v, %d bytes lost", res, f.lostBytes)
	}
	f.wantFates(pns{3}, pns{0})
	f.ack(wire.AppSpace, one(9))
	f.wantFates(pns{9}, pns{1, 4, 5, 6})
	if got := f.path.InFlight(); got != 2*1200 {
		t.Fatalf("%d bytes in flight", got)
	}
	res = f.ack(wire.AppSpace, span(0, 9)) // late: those lost have no fate any more
	f.wantFates(pns{7, 8}, nil)
	if res.LargestNew || f.path.InFlight() != 0 {
		t.Fatalf("%+v, %d bytes in flight", res, f.path.InFlight())
	}
	if res = f.ack(wire.AppSpace, span(0, 9)); res.NewlyAcked {
		t.Fatal("the same again is news")
	}
}

// A packet is lost 9/8 of a round trip after it was sent, if a later one is
// acknowledged (RFC 9002, Section 6.1.2).
func TestTimeThreshold(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1)
	f.wait(10 * ms)
	f.send(wire.AppSpace, 1)
	f.wait(80 * ms)
	f.ack(wire.AppSpace, one(1))
	f.wantFates(pns{1}, pns{0}) // 90 ms is 9/8 of the sample
	f.send(wire.AppSpace, 2)
	f.wait(80 * ms)
	f.ack(wire.AppSpace, one(3))
	f.wantFates(pns{3}, nil)
	f.wantDeadline(confirmed, 180*ms)
	f.wait(10*ms - 1)
	if due := f.d.OnDeadline(f.now, confirmed); len(f.lost) != 0 || due.Probe {
		t.Fatal("lost early")
	}
	f.wait(1)
	if due := f.d.OnDeadline(f.now, confirmed); f.lostBytes != 1200 || due.Probe {
		t.Fatalf("%+v, %d bytes lost", due, f.lostBytes)
	}
	f.wantFates(nil, pns{2})
	f.wantDeadline(confirmed, 0)
}

// ACK frames for numbers never sent or left out are refused (RFC 9000,
// Sections 13.1 and 21.4).
func TestAckOfUnsent(t *testing.T) {
	for _, ranges := range [][]wire.PacketRange{{one(5)}, {span(0, 5)}, {one(wire.MaxVarint)}, {span(0, 4)}, {one(3)}} {
		f := newFixture(t)
		f.send(wire.AppSpace, 3)
		f.space[wire.AppSpace].Skip()
		f.send(wire.AppSpace, 1)
		if _, ok := f.tryAck(wire.AppSpace, 0, ranges...); ok {
			t.Errorf("ACK of %v was taken", ranges)
		}

	}
	f := newFixture(t)
	if _, ok := f.tryAck(wire.AppSpace, 0, one(0)); ok {
		t.Error("ACK in an empty space was taken")
	}
	f.send(wire.AppSpace, 3)
	f.space[wire.AppSpace].Skip()
	f.send(wire.AppSpace, 1)
	f.ack(wire.AppSpace, one(4), span(0, 2))
	f.wantFates(pns{4, 0, 1, 2}, nil)
}

// Numbers left out are not lost, and do not keep others from being forgotten.
func TestSkipped(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		f.send(wire.AppSpace, 3)
		f.space[wire.AppSpace].Skip()
		last := f.space[wire.AppSpace].Next() - 2
		f.ack(wire.AppSpace, span(last-2, last))
	}
	if len(f.lost) != 0 || len(f.acked) != 60 {
		t.Fatalf("%d lost, %d acknowledged", len(f.lost), len(f.acked))
	}
	if n := f.space[wire.AppSpace].ring.count; n > 1 {
		t.Fatalf("%d numbers are remembered", n)
	}
}

// sampled gives the fixture a round-trip time of 100 ms, variance 50 ms.
func sampled(t *testing.T) *fixture {
	f := newFixture(t)
	f.send(wire.AppSpace, 1)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, one(0))
	f.acked = nil
	return f
}

// Persistent congestion: all ack-eliciting packets lost over more than three
// probe timeouts, 825 ms here (RFC 9002, Section 7.6).
func TestPersistentCongestion(t *testing.T) {
	tests := []struct {
		name  string
		apart time.Duration
		skip  bool // the middle packet arrived
		quiet bool // the middle packet was not ack-eliciting
		want  bool
	}{
		{"long enough", 413 * ms, false, false, true},
		{"too short", 412 * ms, false, false, false},
		{"interrupted", 413 * ms, true, false, false},
		{"an ACK lost between", 413 * ms, false, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sampled(t)
			f.wait(ms)
			f.send(wire.AppSpace, 1)
			f.wait(tt.apart)
			f.sendPacket(wire.AppSpace, func(p *Sent) {
				if p.AckEliciting = !tt.quiet; p.AckEliciting {
					p.Bytes = 1200
				}
			})
			f.wait(tt.apart)
			f.send(wire.AppSpace, 4)
			f.wait(100 * ms)
			ranges := []wire.PacketRange{one(6)}
			if tt.skip {
				ranges = append(ranges, one(2))
			}
			res := f.ack(wire.AppSpace, ranges...)
			if res.Persistent != tt.want {
				t.Fatalf("persistent %v with %v lost", res.Persistent, f.lost)
			}
		})
	}
}

// Losses from before the first sample of the round-trip time do not count
// (RFC 9002, Section 7.6.2).
func TestNoPersistentCongestionBeforeSample(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1)
	f.wait(10 * time.Second)
	f.send(wire.AppSpace, 4)
	f.wait(ms)
	if res := f.ack(wire.AppSpace, one(4)); res.Persistent || len(f.lost) == 0 {
		t.Fatalf("%+v, %v lost", res, f.lost)
	}
}

// The loss of a path MTU probe is no sign of congestion (RFC 9000,
// Section 14.4), nor is that of an ACK.
func TestLossWithoutCongestion(t *testing.T) {
	f := sampled(t)
	f.sendPacket(wire.AppSpace, func(p *Sent) { p.AckEliciting, p.Probe, p.Bytes = true, MTUProbe, 1452 })
	f.sendPacket(wire.AppSpace, func(p *Sent) {})
	f.send(wire.AppSpace, 4)
	f.wait(100 * ms)
	f.ack(wire.AppSpace, one(6))
	if f.lostBytes != 1200 || f.path.InFlight() != 2*1200 {
		t.Fatalf("%d bytes lost, %d in flight", f.lostBytes, f.path.InFlight())
	}
	f.wantFates(pns{6}, pns{1, 2, 3})
}

// Spaces are apart: news in one tells nothing of another.
func TestSpacesApart(t *testing.T) {
	f := newFixture(t)
	f.send(wire.InitialSpace, 5)
	f.send(wire.AppSpace, 5)
	f.ack(wire.AppSpace, one(4))
	f.wantFates(pns{4}, pns{0, 1})
	if n := f.space[wire.InitialSpace].AckEliciting(); n != 5 {
		t.Fatalf("%d Initial packets wait", n)
	}
	f.d.Discard(f.now, wire.InitialSpace)
	f.wantFates(nil, nil)
	if f.path.InFlight() != 2*1200 {
		t.Fatalf("%d bytes in flight", f.path.InFlight())
	}
}

// LoseAll ends a flight, as a Retry does.
func TestLoseAll(t *testing.T) {
	f := newFixture(t)
	f.send(wire.InitialSpace, 3)
	f.d.LoseAll(f.now, wire.InitialSpace)
	f.wantFates(nil, pns{0, 1, 2})
	if f.path.InFlight() != 0 || f.space[wire.InitialSpace].AckEliciting() != 0 || f.space[wire.InitialSpace].Next() != 3 {
		t.Fatal("something is left")
	}
	f.send(wire.InitialSpace, 1)
	f.ack(wire.InitialSpace, one(3))
	f.wantFates(pns{3}, nil)
}

// The round trip is measured only by the largest number, newly acknowledged,
// of a packet that asked for it (RFC 9002, Section 5.1).
func TestWhatIsSampled(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1)
	f.sendPacket(wire.AppSpace, func(p *Sent) {})
	f.wait(50 * ms)
	f.ack(wire.AppSpace, span(0, 1))
	if f.path.RTT.HasSample() {
		t.Fatal("a packet with only ACK frames was measured")
	}
	f.send(wire.AppSpace, 2)
	f.wait(50 * ms)
	f.ack(wire.AppSpace, one(3))
	f.wait(50 * ms)
	f.ack(wire.AppSpace, span(2, 3))
	if f.path.RTT.Latest != 50*ms {
		t.Fatalf("sample %v", f.path.RTT.Latest)
	}
	f.send(wire.InitialSpace, 1)
	f.wait(70 * ms)
	f.tryAck(wire.InitialSpace, 60*ms, one(0))
	if want := (7*50*ms + 70*ms) / 8; f.path.RTT.Smoothed != want {
		t.Fatalf("smoothed %v, want %v: the delay of Initial packets does not count", f.path.RTT.Smoothed, want)
	}
}

// A packet counts for the path on which it left, and for no other (RFC 9000,
// Section 9.4): its round trip, its bytes, and its loss.
func TestPathsApart(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 6)
	old := f.path
	f.use(2)
	f.wait(10 * ms)
	f.send(wire.AppSpace, 6)
	if old.InFlight() != 6*1200 || f.path.InFlight() != 6*1200 {
		t.Fatalf("%d and %d bytes in flight", old.InFlight(), f.path.InFlight())
	}
	f.wait(90 * ms)
	res := f.ack(wire.AppSpace, one(5))
	if f.path.RTT.HasSample() || old.RTT.Latest != 100*ms || res.LargestPath != old.ID {
		t.Fatalf("round trips %v and %v", old.RTT.Latest, f.path.RTT.Latest)
	}
	if old.InFlight() != 2*1200 || f.path.InFlight() != 6*1200 {
		t.Fatalf("%d and %d bytes in flight", old.InFlight(), f.path.InFlight())
	}
	f.ack(wire.AppSpace, span(6, 11), span(3, 4))
	if f.path.RTT.Latest != 90*ms || old.RTT.Latest != 100*ms || f.path.InFlight() != 0 {
		t.Fatalf("round trips %v and %v, %d bytes in flight", old.RTT.Latest, f.path.RTT.Latest, f.path.InFlight())
	}
}

// Losses on another path are no persistent congestion of the one in use, nor do
// arrivals there end it.
func TestPersistentCongestionByPath(t *testing.T) {
	f := sampled(t)
	first := f.path.ID
	f.use(2)
	f.send(wire.AppSpace, 1)
	f.wait(time.Second)
	f.ack(wire.AppSpace, one(1)) // the first sample of this path
	f.use(first)
	f.wait(ms)
	f.send(wire.AppSpace, 2)
	f.wait(5 * time.Second)
	f.send(wire.AppSpace, 2)
	f.use(2)
	f.send(wire.AppSpace, 4)
	f.wait(100 * ms)
	if res := f.ack(wire.AppSpace, one(9)); res.Persistent || len(f.lost) < 4 {
		t.Fatalf("%+v with %v lost", res, f.lost)
	}
}

// The fate of packets of a path that is forgotten is told, and counts for none.
func TestForgottenPath(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 6)
	f.use(2)
	f.paths = f.paths[1:]
	f.wait(100 * ms)
	f.ack(wire.AppSpace, one(5))
	f.wantFates(pns{5}, pns{0, 1, 2})
	if f.path.RTT.HasSample() || f.path.InFlight() != 0 {
		t.Fatalf("round trip %v, %d bytes in flight", f.path.RTT.Latest, f.path.InFlight())
	}
}
