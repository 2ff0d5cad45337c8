package handshake

import (
	"context"
	"sync"
)

// background takes the steps of a handshake that may block in a goroutine of its
// own. While one is under way, its Conn belongs to that goroutine.
type background struct {
	run    func(step func()) // in another goroutine, now or later
	starts bool              // a client's Start may block in its session cache
	ctx    context.Context   // of the callbacks
	cancel context.CancelFunc

	mu     sync.Mutex
	state  stepState
	err    error // of the step that is done
	driver driver
}

// driver is told when a step is done. It is called in the step's goroutine.
type driver = interface{ HandshakeProgressed() }

// stepState says whose the Conn is.
type stepState uint8

const (
	stepNone    stepState = iota // the driver's
	stepPending                  // the step's
	stepDone                     // the step's, which has ended, until Finish
	stepOrphan                   // the step's, which frees it
)

func newBackground(run func(func())) *background {
	b := &background{run: run}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Notify says who is told when what was pending is done: see engine.TLS. It does
// nothing if nothing is ever pending.
func (c *Conn) Notify(d driver) {
	b := c.background
	if b == nil {
		return
	}
	b.mu.Lock()
	b.driver = d
	done := b.state == stepDone
	b.mu.Unlock()
	if done {
		d.HandshakeProgressed()
	}
}

// Pending implements engine.TLS.
func (c *Conn) Pending() bool {
	b := c.background
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state != stepNone
}

// Finish implements engine.TLS.
func (c *Conn) Finish() (done bool, err error) {
	b := c.background
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != stepDone {
		return false, nil
	}
	b.state = stepNone
	if c.quic == nil {
		c.background = nil // there will be no other step
		b.cancel()
	}
	return true, b.err
}

// step does f here, or in the background if there is one.
func (c *Conn) step(f func() error) error {
	b := c.background
	if b == nil {
		return f()
	}
	b.mu.Lock()
	b.state = stepPending
	b.mu.Unlock()
	b.run(func() {
		var err error
		if !b.orphaned() {
			err = f()
		}
		b.mu.Lock()
		if b.state == stepOrphan {
			b.mu.Unlock()
			c.free()
			return
		}
		b.state, b.err = stepDone, err
		d := b.driver
		b.mu.Unlock()
		if d != nil {
			d.HandshakeProgressed()
		}
	})
	return nil
}

// orphaned reports whether nobody wants a step's outcome any more.
func (b *background) orphaned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state == stepOrphan
}

// abandon ends the callbacks' context, and reports whether a step is under way,
// which then has to free the Conn.
func (b *background) abandon() (pending bool) {
	b.cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == stepPending || b.state == stepOrphan {
		b.state = stepOrphan
		return true
	}
	b.state = stepNone
	return false
}
