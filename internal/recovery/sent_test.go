package recovery

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Begin and Cancel leave a space as it was; a record's frame list comes empty.
func TestBeginCancel(t *testing.T) {
	s := NewSpace()
	d := NewDetector(nil)
	var path PathState
	d.UsePath(&path)
	d.SetSpace(wire.AppSpace, &s)
	for i := range 100 {
		p := s.Begin()
		if len(p.Frames) != 0 || p.AckEliciting || p.Bytes != 0 {
			t.Fatalf("%+v", p)
		}
		p.Frames = append(p.Frames, Frame{Kind: 1})
		s.Cancel()
		if s.Next() != wire.PacketNumber(i) || s.AckEliciting() != i {
			t.Fatal("Cancel left something")
		}
		p = s.Begin()
		p.AckEliciting, p.Bytes = true, 100
		d.OnSent(wire.AppSpace, p)
		if s.Next() != wire.PacketNumber(i+1) || s.AckEliciting() != i+1 || path.InFlight() != 100*(i+1) {
			t.Fatal("the packet is not counted")
		}
	}
}

// Packets that need no acknowledgment are forgotten in time, so that a peer
// which rightly acknowledges none costs nothing.
func TestQuietPacketsForgotten(t *testing.T) {
	f := newFixture(t)
	for range 10 * maxQuietTracked {
		f.sendPacket(wire.AppSpace, func(p *Sent) {})
		if n := f.space[wire.AppSpace].ring.count; n > maxQuietPackets+1 {
			t.Fatalf("%d packets are remembered", n)
		}
	}
	if f.space[wire.AppSpace].Full(maxTracked) {
		t.Fatal("the space is full")
	}
}

// Behind one that waits they are kept, until the space is full.
func TestQuietPacketsFill(t *testing.T) {
	f := newFixture(t)
	s := &f.space[wire.AppSpace]
	f.send(wire.AppSpace, 1)
	n := 0
	for ; !s.Full(maxTracked); n++ {
		f.sendPacket(wire.AppSpace, func(p *Sent) {})
	}
	if n != maxQuietTracked {
		t.Fatalf("full after %d", n)
	}
	f.ack(wire.AppSpace, one(0))
	if s.Full(maxTracked) || s.ring.count > maxQuietPackets+1 {
		t.Fatalf("full %v, %d packets are remembered", s.Full(maxTracked), s.ring.count)
	}
}

// maxTracked is how many packets the tests let a space remember.
const maxTracked = 1 << 14

// A peer that acknowledges nothing at all makes a space full, not larger.
func TestFull(t *testing.T) {
	f := newFixture(t)
	s := &f.space[wire.AppSpace]
	for n := 0; !s.Full(maxTracked); n++ {
		if n > maxTracked {
			t.Fatal("never full")
		}
		f.send(wire.AppSpace, 1)
	}
	if len(s.ring.slots) != maxTracked {
		t.Fatalf("%d slots for %d packets", len(s.ring.slots), s.ring.count)
	}
	f.ack(wire.AppSpace, span(0, s.Next()-1))
	if s.Full(maxTracked) || f.path.InFlight() != 0 {
		t.Fatal("still full")
	}
	f.d.Trim(wire.AppSpace)
	if s.ring.slots != nil {
		t.Fatal("memory is kept")
	}
	f.send(wire.AppSpace, 3)
	f.ack(wire.AppSpace, one(maxTracked))
}

// Trim does nothing to packets on their way.
func TestTrimKeeps(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 5)
	f.d.Trim(wire.AppSpace)
	f.ack(wire.AppSpace, span(0, 4))
	if len(f.acked) != 5 {
		t.Fatalf("%d acknowledged", len(f.acked))
	}
}

// model is what a Detector with one space should do, said in the plainest way.
type model struct {
	state map[wire.PacketNumber]*modelPacket
	next  wire.PacketNumber
}

type modelPacket struct {
	eliciting bool
	bytes     int
	fate      string // "", "acked", "lost", "skipped"
}

func (m *model) inFlight() (bytes, eliciting int) {
	for _, p := range m.state {
		if p.fate == "" {
			bytes += p.bytes
			if p.eliciting {
				eliciting++
			}
		}
	}
	return bytes, eliciting
}

// TestDetectorModel runs random histories and holds every fate against the
// model: told once, acknowledged only if the peer said so, lost only if
// overtaken, and nothing ack-eliciting forgotten.
func TestDetectorModel(t *testing.T) {
	for seed := range uint64(300) {
		if err := runModel(t, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func runModel(t *testing.T, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	f := newFixture(t)
	s := &f.space[wire.AppSpace]
	m := &model{state: make(map[wire.PacketNumber]*modelPacket)}
	for range 300 {
		f.wait(ms * 1)
		switch op := r.IntN(10); {
		case op < 6:
			p := &modelPacket{eliciting: r.IntN(4) > 0}
			if p.eliciting {
				p.bytes = 1 + r.IntN(1500)
			}
			f.sendPacket(wire.AppSpace, func(x *Sent) { x.AckEliciting, x.Bytes = p.eliciting, uint16(p.bytes) })
			m.state[m.next] = p
			m.next++
		case op == 6:
			s.Begin()
			s.Cancel()
		case op == 7:
			s.Skip()
			m.state[m.next] = &modelPacket{fate: "skipped"}
			m.next++
		case m.next > 0:
			if ranges := randomRanges(r, m); len(ranges) > 0 {
				f.ack(wire.AppSpace, ranges...)
				if err := m.settle(f, ranges); err != nil {
					return err
				}
			}
		}
		if at := f.d.Deadline(confirmed); !at.IsZero() && !at.After(f.now) {
			f.d.OnDeadline(f.now, confirmed)
			if err := m.settle(f, nil); err != nil {
				return err
			}
		}
		bytes, eliciting := m.inFlight()
		if f.path.InFlight() != bytes || s.AckEliciting() != eliciting || s.Next() != m.next {
			return fmt.Errorf("%d bytes and %d packets in flight, want %d and %d", f.path.InFlight(), s.AckEliciting(), bytes, eliciting)
		}
	}
	return nil
}

// randomRanges is descending ranges without numbers left out.
func randomRanges(r *rand.Rand, m *model) (ranges []wire.PacketRange) {
	for pn := m.next - 1; pn >= max(0, m.next-40); pn-- {
		if m.state[pn].fate == "skipped" || r.IntN(3) == 0 {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1].Smallest == pn+1 {
			ranges[n-1].Smallest = pn
		} else {
			ranges = append(ranges, one(pn))
		}
	}
	return ranges
}

// settle takes over the fates told, and checks each.
func (m *model) settle(f *fixture, ranges []wire.PacketRange) error {
	for _, pn := range f.acked {
		p := m.state[pn]
		covered := false
		for _, r := range ranges {
			covered = covered || r.Smallest <= pn && pn <= r.Largest
		}
		if p.fate != "" || !covered {
			return fmt.Errorf("packet %d acknowledged: covered %v, before %q", pn, covered, p.fate)
		}
		p.fate = "acked"
	}
	largest := f.space[wire.AppSpace].LargestAcked()
	for _, pn := range f.lost {
		if p := m.state[pn]; p.fate != "" || pn >= largest {
			return fmt.Errorf("packet %d lost: before %q, largest acknowledged %d", pn, p.fate, largest)
		}
		m.state[pn].fate = "lost"
	}
	f.acked, f.lost = nil, nil
	threshold := wire.PacketNumber(packetThreshold)
	if f.late > 0 {
		threshold = maxPacketThreshold
	}
	for pn, p := range m.state { // what is overtaken by three, or by more on a path that changes the order, has a fate
		if p.fate == "" && p.eliciting && pn <= largest-threshold {
			return fmt.Errorf("packet %d has no fate, %d is acknowledged", pn, largest)
		}
	}
	return nil
}
