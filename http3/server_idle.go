package http3

import (
	"cmp"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// idleTimeout is how long a connection may be without requests, 0 for any time.
func (s *Server) idleTimeout() time.Duration {
	return max(cmp.Or(s.IdleTimeout, s.ReadTimeout), 0)
}

// watchIdle begins to look whether the connection is idle.
func (c *serverConn) watchIdle(t event.Turn) {
	if limit := c.srv.idleTimeout(); limit > 0 {
		c.used(t)
		c.idle = new(event.Timer)
		t.SetTimer(c.idle, t.Now()+limit, event.TimerFunc(c.checkIdle))
	}
}

// checkIdle ends the connection if it has been without requests for too long, and looks
// again when it may be. However many requests there are, it is called once in the idle
// time.
func (c *serverConn) checkIdle(t event.Turn) {
	limit := c.srv.idleTimeout()
	left := limit
	if c.unused(t) {
		left = c.lastUse + limit - t.Now()
	}
	if left > 0 {
		t.SetTimer(c.idle, t.Now()+left, event.TimerFunc(c.checkIdle))
		return
	}
	c.leave(t)
	c.closeIfOver(t)
}

// used notes that there is, or was until now, a request.
func (c *serverConn) used(t event.Turn) { c.lastUse = t.Now() }
