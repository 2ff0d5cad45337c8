package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// HandleDeadline does what is due at now. Deadline is later than now once
// PollTransmit has nothing left afterwards.
func (c *Conn) HandleDeadline(now monotime.Time) {
	d := &c.deadlines
	if d.take(slotClose, now) {
		c.Release(now)
		return
	}
	if c.state >= stateClosing {
		return
	}
	if d.take(slotIdle, now) {
		c.closeSilently(now, &IdleTimeoutError{After: c.idle.timeout})
		return
	}
	if d.take(slotHandshake, now) {
		c.handshakeTimedOut(now)
		return
	}
	if d.take(slotPath, now) {
		c.handlePathDeadline(now)
		d[slotLoss] = c.loss.Deadline(c.lossLimits()) // the path before may let probes leave
	}
	for range maxLossDeadlines {
		if !d.take(slotLoss, now) {
			break
		}
		c.handleLossDeadline(now)
		d[slotLoss] = c.loss.Deadline(c.lossLimits())
	}
	if d.take(slotAck, now) {
		c.space.received.urgent = true
	}
	if d.take(slotKeyDiscard, now) {
		c.keys.DropPrevious()
		c.traceKeysGone(now, wire.OneRTTLevel, c.keys.Phase()-1)
	}
	if d.take(slotKeepAlive, now) {
		c.keepAlive(now)
	}
	if d.take(slotTrim, now) {
		c.idle.quiet = true
		c.becameQuiet(now.Add(-trimAfter))
	}
	d.take(slotPacing, now) // sending goes on in PollTransmit
}

// maxLossDeadlines is how many loss times and probe timeouts can be due at
// once: one of each for every number space.
const maxLossDeadlines = 2 * wire.NumSpaces

// handshakeTimedOut gives up, without a word to the peer.
func (c *Conn) handshakeTimedOut(now monotime.Time) {
	err := &HandshakeTimeoutError{After: c.config.HandshakeTimeout, Answered: c.Answered()}
	c.closeSilently(now, err)
}

// idleState is the idle timeout (RFC 9000, Section 10.1).
type idleState struct {
	timeout time.Duration // the lower of both sides', 0 for none
	asked   monotime.Time // when the first ack-eliciting packet went out since the last one arrived
	quiet   bool          // for long enough to give memory back
	resting bool          // has given it back
	silent  bool          // EventSilent was told since the last one arrived
	held    bool          // the application has work outstanding
	lapsed  monotime.Time // since when nothing happened, if no PING is due as there was no work
}

// negotiate takes the lower of both sides' timeouts; 0 means none.
func (s *idleState) negotiate(local, peer time.Duration) {
	s.timeout = local
	if peer != 0 && (local == 0 || peer < local) {
		s.timeout = peer
	}
}

// received restarts the timeout when a packet was processed.
func (s *idleState) received(c *Conn, now monotime.Time) {
	s.asked, s.silent = 0, false
	s.restart(c, now)
}

// sent restarts the timeout with the first ack-eliciting packet after that.
func (s *idleState) sent(c *Conn, now monotime.Time) {
	if s.asked.IsZero() {
		s.asked = now
		s.restart(c, now)
	}
}

func (s *idleState) restart(c *Conn, now monotime.Time) {
	if s.timeout != 0 {
		// Section 10.1: at least three times the probe timeout.
		c.deadlines[slotIdle] = now.Add(max(s.timeout, 3*c.loss.PTO()))
	}
	c.deadlines[slotTrim] = now.Add(trimAfter)
	if s.resting {
		s.resting = false
		c.endpoint.spare.awake++
	}
	s.lapsed = 0
	c.deadlines[slotKeepAlive] = 0
	if period := c.keepAlivePeriod(); c.config.KeepAlive != 0 || period <= trimAfter {
		c.deadlines[slotKeepAlive] = now.Add(period)
	}
}

// heldKeepAlive is how long a connection with work outstanding is silent before a
// PING: well below the 30 seconds for which middleboxes are known to keep a UDP
// flow in mind (RFC 9000, Section 10.1.2).
const heldKeepAlive = 15 * time.Second

// keepAlivePeriod leaves time for a lost PING within the idle timeout.
func (c *Conn) keepAlivePeriod() time.Duration {
	period := c.config.KeepAlive
	if period == 0 {
		period = heldKeepAlive
	}
	if c.idle.timeout != 0 {
		period = min(period, c.idle.timeout/2)
	}
	return period
}

// keepAlive sends a PING if there is a reason to.
func (c *Conn) keepAlive(now monotime.Time) {
	if c.config.KeepAlive == 0 && !c.idle.held {
		c.idle.lapsed = now.Add(-c.keepAlivePeriod())
	} else if c.state == stateEstablished {
		c.space.ping = true
	}
}

// becameQuiet arms the PING for work outstanding when nothing has happened since a
// moment that is trimAfter ago. Until then none is armed: most work takes less, and
// connections without work shall cost nothing.
func (c *Conn) becameQuiet(since monotime.Time) {
	switch {
	case c.config.KeepAlive != 0 || !c.deadlines[slotKeepAlive].IsZero():
	case c.idle.held:
		c.deadlines[slotKeepAlive] = since.Add(c.keepAlivePeriod())
	default:
		c.idle.lapsed = since
	}
}

// SetHeld says whether the application has work outstanding for which the
// connection must stay alive although nothing is sent, such as a request that its
// server thinks about. It is enough to call it before HandleDeadline, and, when
// KeepAliveLapsed says so, with the beginning of work.
func (c *Conn) SetHeld(now monotime.Time, held bool) {
	c.idle.held = held
	if since := c.idle.lapsed; held && !since.IsZero() {
		c.idle.lapsed = 0
		if at := since.Add(c.keepAlivePeriod()); at.After(now) {
			c.deadlines[slotKeepAlive] = at
		} else {
			c.keepAlive(now)
		}
	}
}

// KeepAliveLapsed reports whether the connection is quiet and no PING is due, as no
// work was outstanding.
func (c *Conn) KeepAliveLapsed() bool { return !c.idle.lapsed.IsZero() }

// A peer is silent after so many probe timeouts in a row, which is about fourteen
// round trips, and not before so much time, in which a busy machine may answer yet.
const (
	silentAfter   = 3
	minSilentTime = 300 * time.Millisecond
)

// noticeSilence tells of a peer that does not answer, long before the idle timeout:
// a caller that has something outstanding may try another connection.
func (c *Conn) noticeSilence(now monotime.Time) {
	if c.loss.PTOCount() < silentAfter || c.idle.silent || c.state != stateEstablished || c.idle.asked.IsZero() || now.Sub(c.idle.asked) < minSilentTime {
		return
	}
	c.idle.silent = true
	c.event(EventSilent, nil)
}

// Silent reports whether the peer has answered nothing since EventSilent.
func (c *Conn) Silent() bool { return c.idle.silent && c.state == stateEstablished }

// trimAfter is how long a connection is quiet before it gives back memory
// that only a busy one needs.
const trimAfter = time.Second

// trim gives back what an idle connection does not need, once there is nothing
// to send.
func (c *Conn) trim() {
	c.idle.quiet = false
	c.loss.Trim(wire.AppSpace)
	c.keys.Rest()
	c.space.crypto.trim()
	c.streams.table.trim()
	c.flow.account.Rest()
	if !c.idle.resting {
		c.idle.resting = true
		c.endpoint.spare.rested()
	}
	if len(c.events) == 0 {
		c.events = nil
	}
}
