package recovery

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	t0 = monotime.Time(time.Hour)
	ms = time.Millisecond
)

// fixture is a detector with all three number spaces that records fates.
type fixture struct {
	t     *testing.T
	d     Detector
	space [wire.NumSpaces]Space
	now   monotime.Time
	acked []wire.PacketNumber
	lost  []wire.PacketNumber
	late  int // bytes of packets that came after they were lost
	path  *PathState
	paths []*PathState // all that are known

	lostBytes  int // of packets that count as congestion
	lostSentAt monotime.Time
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, now: t0}
	f.d = NewDetector(f)
	f.use(1)
	f.d.MaxAckDelay = 25 * ms
	for id := range f.space {
		f.space[id] = NewSpace()
		f.d.SetSpace(wire.Space(id), &f.space[id])
	}
	return f
}

// use sends on the path with this ID from now on.
func (f *fixture) use(id PathID) {
	if f.path = f.PathState(id); f.path == nil {
		f.path = &PathState{ID: id}
		f.paths = append(f.paths, f.path)
	}
	f.d.UsePath(f.path)
}

// PathState implements Fates.
func (f *fixture) PathState(id PathID) *PathState {
	for _, p := range f.paths {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// PacketAcked implements Fates.
func (f *fixture) PacketAcked(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, _ *Sent) {
	f.acked = append(f.acked, pn)
}

// PacketLost implements Fates.
func (f *fixture) PacketLost(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, p *Sent) {
	f.lost = append(f.lost, pn)
	if p.Congests() {
		f.lostBytes += int(p.Bytes)
		f.lostSentAt = max(f.lostSentAt, p.SentAt)
	}
}

// PacketLate implements Fates.
func (f *fixture) PacketLate(_ monotime.Time, p LatePacket) { f.late += int(p.Bytes) }

// send sends n full-sized ack-eliciting packets.
func (f *fixture) send(id wire.Space, n int) {
	for range n {
		f.sendPacket(id, func(p *Sent) { p.AckEliciting, p.Bytes = true, 1200 })
	}
}

func (f *fixture) sendPacket(id wire.Space, fill func(*Sent)) {
	p := f.space[id].Begin()
	p.SentAt, p.Path = f.now, f.path.ID
	fill(p)
	f.d.OnSent(id, p)
}

func (f *fixture) wait(d time.Duration) { f.now = f.now.Add(d) }

// ack takes an ACK frame for descending ranges without delay.
func (f *fixture) ack(id wire.Space, ranges ...wire.PacketRange) AckResult {
	f.t.Helper()
	res, ok := f.tryAck(id, 0, ranges...)
	if !ok {
		f.t.Fatalf("ACK of %v was refused", ranges)
	}
	return res
}

func (f *fixture) tryAck(id wire.Space, delay time.Duration, ranges ...wire.PacketRange) (AckResult, bool) {
	f.t.Helper()
	b := wire.AppendAck(nil, 1<<16, 0, ranges, nil)
	var a wire.Ack
	if wire.ConsumeAck(wire.FrameAck, b[1:], &a) < 0 {
		f.t.Fatalf("ranges %v make no ACK frame", ranges)
	}
	return f.d.OnAck(f.now, id, &a, delay)
}

func one(pn wire.PacketNumber) wire.PacketRange { return wire.PacketRange{Smallest: pn, Largest: pn} }
func span(lo, hi wire.PacketNumber) wire.PacketRange {
	return wire.PacketRange{Smallest: lo, Largest: hi}
}

// confirmed is the limits after the handshake.
var confirmed = Limits{Confirmed: true, PeerValidated: true}

// wantDeadline demands that the deadline be d after the beginning; 0 for none.
func (f *fixture) wantDeadline(l Limits, d time.Duration) {
	f.t.Helper()
	want := monotime.Time(0)
	if d != 0 {
		want = t0.Add(d)
	}
	if got := f.d.Deadline(l); got != want {
		f.t.Fatalf("deadline %v, want %v", got.Sub(t0), d)
	}
}

func equal(a, b []wire.PacketNumber) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (f *fixture) wantFates(acked, lost []wire.PacketNumber) {
	f.t.Helper()
	if !equal(f.acked, acked) || !equal(f.lost, lost) {
		f.t.Fatalf("acknowledged %v and lost %v, want %v and %v", f.acked, f.lost, acked, lost)
	}
	f.acked, f.lost, f.lostBytes = nil, nil, 0
}
