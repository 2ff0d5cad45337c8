package quic

import (
	"context"
	"sync"
	"sync/atomic"
)

// ending is how far a Listener is on its way to the end.
type ending struct {
	handshakes atomic.Int64 // connections that are not complete
	conns      atomic.Int64 // that have not ended
	shutting   atomic.Bool  // Shutdown was called, and no further client gets in
	once       sync.Once
	over       chan struct{} // closed when nothing is left
}

// Shutdown stops listening, and lets what has begun end: new clients are refused, or get
// the successor's answer after Transport.HandOver; handshakes under way are completed, and
// Accept returns them, and ErrClosed then. The application ends the connections, as
// its protocol has it. When the last one has ended, and the predecessor of the transport
// if it has one, Shutdown closes the listener as Close does, and returns nil. When ctx
// ends before, it returns the cause and leaves connections alone; it may be called again.
// Like Close, it is not for callbacks.
func (l *Listener) Shutdown(ctx context.Context) error {
	go l.beginShutdown()
	select {
	case <-l.ending.over:
		return l.Close()
	case <-l.transport.workers[0].Done():
		return l.Close()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// beginShutdown keeps new clients out.
func (l *Listener) beginShutdown() {
	refuse := l.server
	refuse.Refuse = true
	_ = l.transport.onLoops(func(_ int, w *worker) error {
		if w.accepting == l {
			w.SetServer(&refuse)
		}
		return nil
	}) // which fails when all has ended
	l.ending.shutting.Store(true)
	l.settle()
}

// settle takes note that less is left to wait for.
func (l *Listener) settle() {
	e := &l.ending
	if !e.shutting.Load() {
		return
	}
	if e.handshakes.Load() == 0 {
		l.backlog.Close(ErrClosed)
	}
	if e.conns.Load() == 0 && l.transport.predecessors.Load() == 0 {
		e.once.Do(func() { close(e.over) })
	}
}

// begun counts a connection that a client opens. On the loop's goroutine.
func (l *Listener) begun(c *Conn) {
	c.shaking = true
	l.ending.handshakes.Add(1)
	l.ending.conns.Add(1)
}

// shaken takes note that a handshake is over: the connection is complete, or has failed.
// On the loop's goroutine.
func (c *Conn) shaken() {
	if c.shaking {
		c.shaking = false
		c.listener.ending.handshakes.Add(-1)
		c.listener.settle()
	}
}

// left takes note that a connection has ended. On the loop's goroutine.
func (c *Conn) left() {
	c.shaken()
	if c.listener != nil {
		c.listener.ending.conns.Add(-1)
		c.listener.settle()
	}
}
