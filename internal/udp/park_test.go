package udp

import (
	"testing"
	"time"
)

// deadlines records what a parker sets.
type deadlines []time.Time

func (d *deadlines) set(t time.Time) error {
	*d = append(*d, t)
	return nil
}

func (d *deadlines) want(t *testing.T, want ...time.Time) {
	t.Helper()
	if len(*d) != len(want) {
		t.Fatalf("deadlines set: %v, want %v", *d, want)
	}
	for i := range want {
		if !(*d)[i].Equal(want[i]) {
			t.Errorf("deadline %d is %v, want %v", i, (*d)[i], want[i])
		}
	}
	*d = nil
}

func TestParker(t *testing.T) {
	at, later := time.Unix(100, 0), time.Unix(200, 0)
	setup := func() (*parker, *deadlines) {
		d := new(deadlines)
		return &parker{setDeadline: d.set}, d
	}
	enter := func(t *testing.T, p *parker, deadline time.Time, want bool) {
		t.Helper()
		if got := p.enter(deadline); got != want {
			t.Fatalf("enter = %v, want %v", got, want)
		}
	}

	t.Run("a deadline is set once", func(t *testing.T) {
		p, d := setup()
		for range 3 {
			enter(t, p, at, true)
			p.leave()
		}
		d.want(t, at)
		enter(t, p, later, true)
		p.leave()
		d.want(t, later)
	})
	t.Run("wakes before cost nothing and keep from parking", func(t *testing.T) {
		p, d := setup()
		p.wake()
		p.wake()
		enter(t, p, at, false)
		p.leave()
		d.want(t)
		enter(t, p, at, true)
		d.want(t, at)
	})
	t.Run("the first wake while parked moves the deadline", func(t *testing.T) {
		p, d := setup()
		enter(t, p, at, true)
		p.wake()
		p.wake()
		p.leave()
		d.want(t, at, longAgo)
		enter(t, p, at, true)
		d.want(t, at) // again, for the waker's has replaced it
	})
	t.Run("a slow waker's deadline is not taken for one's own", func(t *testing.T) {
		p, d := setup()
		enter(t, p, at, true)
		p.leave()
		d.want(t, at)
		enter(t, p, at, true) // believes that at is still set
		d.want(t)
		p.leave()
		p.forget() // the wait ended early
		enter(t, p, at, true)
		d.want(t, at)
	})
}
