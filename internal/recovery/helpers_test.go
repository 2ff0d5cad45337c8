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
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, now: t0}
	f.d = NewDetector(f)
	f.d.MaxAckDelay = 25 * ms
	for id := range f.space {
		f.space[id] = NewSpace()
		f.d.SetSpace(wire.Space(id), &f.space[id])
	}
	return f
}

// PacketAcked implements Fates.
func (f *fixture) PacketAcked(_ monotime.Time, _ wire.Space, p *Sent) {
	f.acked = append(f.acked, p.Number)
}

// PacketLost implements Fates.
func (f *fixture) PacketLost(_ monotime.Time, _ wire.Space, p *Sent) {
	f.lost = append(f.lost, p.Number)
}

// PacketLate implements Fates.
func (f *fixture) PacketLate(_ monotime.Time, bytes int, _ monotime.Time) { f.late += bytes }

// send sends n full-sized ack-eliciting packets.
func (f *fixture) send(id wire.Space, n int) {
	for range n {
		f.sendPacket(id, func(p *Sent) { p.Eliciting, p.Bytes = true, 1200 })
	}
}

func (f *fixture) sendPacket(id wire.Space, fill func(*Sent)) {
	p := f.space[id].Begin()
	p.SentAt = f.now
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
	f.acked, f.lost = nil, nil
}
