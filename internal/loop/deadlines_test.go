package loop

import (
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Any sequence of setting, moving and cancelling leaves the earliest deadline
// in front and every connection at the place it knows.
func TestDeadlinesAgainstModel(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var d deadlines[Conn]
		conns := make([]*deadline[Conn], 40)
		for i := range conns {
			conns[i] = newEntry()
		}
		for step := range 2000 {
			c := conns[rng.IntN(len(conns))]
			d.set(c, monotime.Time(rng.IntN(100))) // often zero or one that others have
			if msg := inconsistent(&d, conns); msg != "" {
				t.Fatalf("seed %d, step %d: %s", seed, step, msg)
			}
		}
	}
}

func newEntry() *deadline[Conn] { return new(deadline[Conn]) }

func inconsistent(d *deadlines[Conn], conns []*deadline[Conn]) string {
	var first monotime.Time
	queued := 0
	for _, c := range conns {
		if c.at.IsZero() != (c.place == 0) {
			return "a connection is queued without a deadline, or the other way round"
		}
		if c.at.IsZero() {
			continue
		}
		queued++
		first = monotime.Earliest(first, c.at)
		if d.heap[c.place-1] != c {
			return "a connection is not at its place"
		}
	}
	switch next := d.next(); {
	case queued != len(d.heap):
		return "the heap holds a connection twice, or one that is not queued"
	case queued == 0 && next != nil, queued > 0 && next.at != first:
		return "the first is not the earliest"
	}
	return ""
}

// Deadlines come out in order.
func TestDeadlinesOrder(t *testing.T) {
	var d deadlines[Conn]
	for _, at := range []monotime.Time{50, 20, 90, 10, 70, 30, 10} {
		d.set(newEntry(), at)
	}
	var got []monotime.Time
	for c := d.next(); c != nil; c = d.next() {
		got = append(got, c.at)
		d.set(c, 0)
	}
	want := []monotime.Time{10, 10, 20, 30, 50, 70, 90}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("order %v, want %v", got, want)
		}
	}
}

// Moving one of very many deadlines costs no more than a logarithm.
func BenchmarkDeadlinesMove(b *testing.B) {
	var d deadlines[Conn]
	conns := make([]*deadline[Conn], 100_000)
	for i := range conns {
		conns[i] = newEntry()
		d.set(conns[i], monotime.Time(1+i))
	}
	b.ReportAllocs()
	now := monotime.Time(len(conns))
	for i := 0; b.Loop(); i++ {
		now++
		d.set(conns[i%len(conns)], now)
	}
}
