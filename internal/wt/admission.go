package wt

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// newcomerPatience is how long a client's request waits for the end of another session
// when there are as many as there may be. The news of an end may be lost, or be behind
// the request: a client that closes a session and opens another has done nothing wrong.
const newcomerPatience = time.Second

// Admission is a request that a server wants to accept, while it is not known whether
// there is a place for the session.
type Admission struct {
	// App is the host's own.
	App any

	conn    *Conn
	draft   Draft
	until   monotime.Time // when the wait is given up; zero once it is over
	refusal *Refusal      // nil for a place
}

// Admit counts the session of a request that a server wants to accept. If there is no
// place for it, it waits: EventAdmission follows when that is over. With a place, Begin
// or Abandon must follow.
func (c *Conn) Admit(now monotime.Time, d Draft) *Admission {
	a := &Admission{conn: c, draft: d}
	switch {
	case len(c.newcomers) == 0 && c.admit(d):
	case len(c.newcomers) < c.maxSessions(d) && c.over == nil: // as many as there are places
		a.until = now.Add(newcomerPatience)
		c.newcomers = append(c.newcomers, a)
	default:
		a.refuse()
	}
	return a
}

// Waits reports whether it is not known yet what becomes of the request.
func (a *Admission) Waits() bool { return !a.until.IsZero() }

// Refusal returns how to refuse a request that has not got a place, nil if it has.
func (a *Admission) Refusal() *Refusal { return a.refusal }

// Withdraw says that the request is not wanted any more, whether it waits or has got a
// place. It is refused then.
func (a *Admission) Withdraw() {
	switch {
	case a.Waits():
		a.conn.newcomers = slices.DeleteFunc(a.conn.newcomers, func(b *Admission) bool { return a == b })
	case a.refusal == nil:
		a.conn.Abandon()
	}
	a.refuse()
}

func (a *Admission) refuse() {
	a.until = 0
	if a.draft.FlowControl() && !a.conn.offer.limits {
		a.refusal = &Refusal{Code: h3.RequestRejected, Err: ErrTooManySessions} // Section 5.1
	} else {
		a.refusal = &Refusal{Status: 429, Err: ErrTooManySessions} // Section 5.2
	}
}

// maxSessions returns how many sessions of a draft there may be at a time.
func (c *Conn) maxSessions(d Draft) int {
	if d.FlowControl() && !c.offer.limits {
		return 1 // Section 5.1
	}
	return c.conf.MaxSessions
}

// admit counts a session, unless there are too many.
func (c *Conn) admit(d Draft) bool {
	if c.admitted >= c.maxSessions(d) {
		return false
	}
	c.admitted++
	return true
}

// release frees the place of a session, for whoever has waited longest.
func (c *Conn) release() {
	c.admitted--
	if len(c.newcomers) > 0 && c.admit(c.newcomers[0].draft) {
		a := c.newcomers[0]
		c.newcomers = c.newcomers[1:]
		a.until = 0
		c.emit(Event{Kind: EventAdmission, Admission: a})
	}
}

// refuseNewcomers refuses those who have waited too long.
func (c *Conn) refuseNewcomers(now monotime.Time) {
	for len(c.newcomers) > 0 && !c.newcomers[0].until.After(now) {
		a := c.newcomers[0]
		c.newcomers = c.newcomers[1:]
		a.refuse()
		c.emit(Event{Kind: EventAdmission, Admission: a})
	}
}
