package http3

import (
	"time"

	"github.com/godwit-quic/godwit/quic"
)

var processStart = time.Now()

// idleChecks is in how many parts an idle time is looked at, at most: that is
// how much too late a connection may be closed.
const idleChecks = 8

// idleTimeout is how long a connection may be without requests, 0 for any time.
func (s *Server) idleTimeout() time.Duration {
	if s.IdleTimeout != 0 {
		return max(s.IdleTimeout, 0)
	}
	return max(s.ReadTimeout, 0)
}

// watchIdle starts looking after idle connections, with one timer for all of
// them, unless that goes on already. The lock is held.
func (s *Server) watchIdle() {
	if limit := s.idleTimeout(); limit > 0 && s.idleTimer == nil {
		s.idleTimer = time.AfterFunc(limit, s.closeIdleConns)
	}
}

// closeIdleConns closes the connections that have been without requests for too
// long, and looks again when the next may be.
func (s *Server) closeIdleConns() {
	limit := s.idleTimeout()
	now := time.Since(processStart)
	next := limit
	for _, c := range s.liveConns() {
		if c.handlers.Load() > 0 {
			continue
		}
		left := time.Duration(c.lastRequest.Load()) + limit - now
		if left <= 0 {
			c.qc.Run(c.closeUnused)
			continue
		}
		next = min(next, left)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 || s.closing.Load() {
		s.idleTimer = nil
		return
	}
	s.idleTimer.Reset(max(next, limit/idleChecks))
}

// used notes that there is, or was until now, a request. Any goroutine may call
// it.
func (c *serverConn) used() {
	if c.srv.idleTimeout() > 0 {
		c.lastRequest.Store(int64(time.Since(processStart)))
	}
}

// closeUnused ends the connection unless a request has come in the meantime. On the
// loop's goroutine.
func (c *serverConn) closeUnused(t *quic.Turn) {
	if c.unused(t) {
		c.leave(t)
		c.closeIfOver(t)
	}
}
