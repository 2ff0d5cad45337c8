package wt

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Deadline returns when HandleDeadline is to be called, zero for never. It may
// change with every other call.
func (c *Conn) Deadline() monotime.Time {
	at := c.idleAt
	if len(c.lingering) > 0 {
		at = monotime.Earliest(at, c.lingering[0].giveUp)
	}
	if len(c.newcomers) > 0 {
		at = monotime.Earliest(at, c.newcomers[0].until)
	}
	if len(c.lateEnds) > 0 {
		at = monotime.Earliest(at, c.lateEnds[0].at)
	}
	return at
}

// HandleDeadline does what is due.
func (c *Conn) HandleDeadline(now monotime.Time) {
	for len(c.lingering) > 0 && !c.lingering[0].giveUp.After(now) {
		s := c.lingering[0]
		c.emit(Event{Kind: EventStopReading, Session: s, Code: CodeSessionGone})
		s.HandleOver()
	}
	for len(c.lateEnds) > 0 && !c.lateEnds[0].at.After(now) {
		st := c.lateEnds[0].stream
		c.lateEnds = c.lateEnds[1:]
		c.emit(Event{Kind: EventClose, Session: st.session, Stream: st})
	}
	c.refuseNewcomers(now)
	if !c.idleAt.IsZero() && !c.idleAt.After(now) {
		c.closeIdle(now)
	}
}

// HandleHeard takes note that something of the peer's arrived in the session that the
// machine does not see.
func (s *Session) HandleHeard(now monotime.Time) { s.heardAt(now) }

// heardAt takes note that the peer has sent something.
func (s *Session) heardAt(now monotime.Time) {
	c := s.conn
	if c.conf.IdleTimeout == 0 || s.err != nil {
		return
	}
	s.heard = now
	if c.idleAt.IsZero() {
		c.idleAt = now.Add(c.conf.IdleTimeout)
	}
}

// closeIdle closes sessions in which the peer has sent nothing for too long, and looks
// again when others may be idle, however much they receive meanwhile.
func (c *Conn) closeIdle(now monotime.Time) {
	c.idleAt = 0
	for _, s := range c.ordered() {
		if at := s.heard.Add(c.conf.IdleTimeout); at.After(now) {
			c.idleAt = monotime.Earliest(c.idleAt, at)
		} else {
			s.Close(now, 0, fmt.Sprintf("nothing was received for %v", c.conf.IdleTimeout))
		}
	}
}

// Lingers reports whether sessions have ended whose CONNECT stream is not over: what this
// end has said last may be on its way. That is for CloseTimeout at most.
func (c *Conn) Lingers() bool { return len(c.lingering) > 0 }
