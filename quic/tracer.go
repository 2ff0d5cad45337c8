package quic

import (
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic/quictrace"
)

// newTracer returns what makes the engine's tracers, nil for none.
func (conf *Config) newTracer() func(quictrace.Info) quictrace.Tracer {
	newTracer := conf.Tracer
	if newTracer == nil {
		return nil
	}
	return func(info quictrace.Info) quictrace.Tracer {
		if to := newTracer(info); to != nil {
			return &tracer{to: to, begun: time.Now()}
		}
		return nil
	}
}

// tracer lets an event loop and others tell a Tracer of a connection's events, one at a
// time and in the order of time.
type tracer struct {
	begun time.Time

	mu   sync.Mutex
	to   quictrace.Tracer // nil when the connection is forgotten
	last time.Duration    // of the last event
}

// Trace implements quictrace.Tracer, for the engine.
func (t *tracer) Trace(at time.Duration, e quictrace.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to == nil {
		return
	}
	t.last = max(at, t.last)
	t.to.Trace(t.last, e)
	if s, ok := e.(*quictrace.ConnectionStateUpdated); ok && s.New == quictrace.StateClosed {
		t.to = nil
	}
}

// tell tells of an event that happens now, for those above the engine.
func (t *tracer) tell(e quictrace.Event) { t.Trace(time.Since(t.begun), e) }

// Tracer returns what tells Config.Tracer of events on this connection, for application
// protocols that have some to tell of; nil if nobody wants to know. It may be called by any
// goroutine, and does nothing once the connection is forgotten.
func (c *Conn) Tracer() func(quictrace.Event) {
	if t, ok := c.face.Link.Tracer().(*tracer); ok {
		return t.tell
	}
	return nil
}
