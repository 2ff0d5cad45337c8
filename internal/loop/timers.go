package loop

import "github.com/godwit-quic/godwit/internal/monotime"

// Timer is an entry in a connection's table of deadlines, beside those of its
// engine. The zero Timer is not set. A Timer belongs to the loop's goroutine.
type Timer struct {
	entry deadline[Timer]
	owner Timed
}

// Timed is what a Timer belongs to.
type Timed interface {
	// Fire: the Timer's moment has come. It is called on the loop's goroutine.
	Fire()
}

// Set reports whether the Timer is set.
func (t *Timer) Set() bool { return !t.entry.at.IsZero() }

// SetTimer has owner told once when the moment at has come, in place of what t was
// set to before; zero cancels it. What is due already comes in the next turn. Nothing
// is told once the connection has been released.
func (c *Conn) SetTimer(t *Timer, at monotime.Time, owner Timed) {
	if c.released {
		return
	}
	switch {
	case !at.IsZero():
		at = max(at, c.loop.now+1)
	case !t.Set():
		return
	}
	if c.timers == nil {
		c.timers = new(deadlines[Timer])
	}
	t.entry.of, t.owner = t, owner
	c.timers.set(&t.entry, at)
	if len(c.timers.heap) == 0 {
		c.timers = nil // a connection at rest has no table
	}
	c.touch()
}

// ClearTimers cancels all timers of the connection.
func (c *Conn) ClearTimers() {
	for c.timers != nil {
		c.SetTimer(c.timers.next().of, 0, nil)
	}
}

// Now returns the moment at which the present turn began.
func (c *Conn) Now() monotime.Time { return c.loop.now }

// fireTimers tells of those that are due.
func (c *Conn) fireTimers() {
	for c.timers != nil {
		e := c.timers.next()
		if e.at.After(c.loop.now) {
			return
		}
		owner := e.of.owner
		c.SetTimer(e.of, 0, nil)
		owner.Fire()
	}
}
