package http3

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// defaultMaxHandlers is how many handlers a Server runs at a time, over all its
// connections, unless Server.MaxHandlers says otherwise. Each is a goroutine, and
// holds a request, a response and a stream: some 20 KiB while it waits for its client.
const defaultMaxHandlers = 8192

// maxHandlers returns how many handlers may run, 0 or less for any number.
func (s *Server) maxHandlers() int64 {
	if s.MaxHandlers == 0 {
		return defaultMaxHandlers
	}
	return int64(s.MaxHandlers)
}

// mayHandle reports whether the server has room for another handler of this
// connection. None gets more than half of what is left, so that one that wants many
// leaves some to the others. Nor does a source, an IPv4 address or a /64 prefix, get
// more than three quarters of what other sources leave, whatever the number of its
// connections. And each source gets one, however many the others keep busy.
func (c *serverConn) mayHandle() bool {
	limit := c.srv.maxHandlers()
	if limit <= 0 {
		return true
	}
	left := limit - c.srv.running()
	if int64(c.handlers.Load()) >= max(left/2, 1) {
		return false
	}
	if limit-left < sourceParts*left {
		return true // even if all of them were this source's
	}
	own := c.srv.sourceRunning(c.source.id)
	return own < max(sourceParts*left, 1)
}

// sourceParts is how many times what is left a source may have.
const sourceParts = 3

// countHandlers counts n more handlers, or less.
func (c *serverConn) countHandlers(n int) {
	c.handlers.Add(int32(n))
	c.workers.running.Add(int64(n))
	c.workers.sources.count(c.source, int64(n))
}

// running returns how many handlers run, of all connections.
func (s *Server) running() (n int64) {
	if loops := s.workers.Load(); loops != nil {
		for _, w := range *loops {
			n += w.running.Load()
		}
	}
	return n
}

// handlerDone counts one handler less, which may be what the connection's end has waited
// for. Any goroutine may call it.
func (c *serverConn) handlerDone() {
	c.countHandlers(-1)
	if c.leaving.Load() {
		event.Run(c.qc, c.closeIfOver)
	}
}

// Admit says whether there is room for another request.
func (c *serverConn) Admit(*h3.RequestStream) h3.Admission {
	switch {
	case c.handlers.Load() >= c.maxHandlers:
		return h3.Flood
	case !c.mayHandle():
		return h3.Busy
	}
	return h3.Admit
}
