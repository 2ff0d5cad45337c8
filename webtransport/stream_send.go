package webtransport

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// SendStream is a stream, or half of one, that this end sends on. One goroutine
// at a time may write, and Close counts as writing; the other methods may be called
// from any.
type SendStream struct {
	half
	qs       *quic.SendStream
	isOver   atomic.Bool
	written  atomic.Bool // something beyond the header, which the machine knows
	credit   waiter      // for the session's limit to allow more
	deadline writeDeadline
}

// ID returns the ID of the QUIC stream.
func (w *SendStream) ID() uint64 { return w.qs.ID() }

// Write writes p and waits until all of it is buffered. It does not keep p. The
// error comes with the number of bytes taken before: a *StreamError if the peer
// does not want more or CancelWrite was called, quic.ErrWriteClosed after Close,
// os.ErrDeadlineExceeded, or the session's.
func (w *SendStream) Write(p []byte) (n int, err error) {
	session := w.owner()
	if session.ended.Load() && !w.isOver.Load() {
		return 0, session.endedWith() // though the stream may be reset only later
	}
	if session.FlowControlled() {
		n, err = w.writeWithin(p)
	} else {
		if len(p) > 0 && w.written.CompareAndSwap(false, true) {
			_, _, _ = w.allow(1) // all of it
		}
		n, err = w.qs.Write(p)
	}
	return n, w.noteWrite(err)
}

// unused gives back what was allowed and will not be sent.
func (w *SendStream) unused(n uint64) { w.hub.tell(func(*wt.Conn) { w.machine.Unused(n) }) }

// writeWithin writes as the session's flow control allows.
func (w *SendStream) writeWithin(p []byte) (n int, err error) {
	for {
		allowed, ready, err := w.allow(len(p) - n)
		if err != nil {
			return n, err
		}
		if ready != nil {
			if err := w.await(ready); err != nil {
				w.hub.tell(func(*wt.Conn) { w.machine.Forgo() })
				return n, err
			}
			continue
		}
		m, err := w.qs.Write(p[n : n+allowed])
		if n += m; m < allowed {
			w.unused(uint64(allowed - m))
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// allow asks for leave to write n bytes. It returns how many may be written, or a
// channel to wait for if it is none.
func (w *SendStream) allow(n int) (allowed int, ready <-chan struct{}, err error) {
	w.hub.tell(func(*wt.Conn) {
		if allowed, err = w.machine.Allow(n); err != nil {
			err = w.owner().endedLocked()
		} else if allowed == 0 && n > 0 {
			ready = w.credit.wait()
		}
	})
	return allowed, ready, err
}

// await waits for credit, the stream's end or the deadline.
func (w *SendStream) await(credit <-chan struct{}) error {
	for {
		at, changed := w.deadline.watch()
		if again, err := w.awaitUntil(at, credit, changed); !again {
			return err
		}
	}
}

// awaitUntil is await for one deadline, zero for none. It reports whether there is another.
func (w *SendStream) awaitUntil(at time.Time, credit, changed <-chan struct{}) (again bool, err error) {
	var expired <-chan struct{}
	if !at.IsZero() {
		left := time.Until(at)
		if left <= 0 {
			return false, os.ErrDeadlineExceeded
		}
		passed, stop := h3ext.After(w.hub.conn, left)
		defer stop()
		expired = passed
	}
	select {
	case <-credit:
		return false, nil
	case <-w.qs.Context().Done():
		_, err := w.qs.Write(nil)
		return false, err
	case <-expired:
		return false, os.ErrDeadlineExceeded
	case <-changed:
		return true, nil
	}
}

func (w *SendStream) noteWrite(err error) error {
	if err == nil || os.IsTimeout(err) {
		return err
	}
	if err != quic.ErrWriteClosed {
		w.over()
	}
	return w.owner().streamError(err)
}

// Close finishes the stream: the peer reads its end after what was written. A
// stream that was closed is delivered even if the session ends.
func (w *SendStream) Close() error {
	session := w.owner()
	now, closes := w.hub.now(), false
	w.hub.tell(func(*wt.Conn) {
		rtt := time.Duration(0)
		if w.machine.EndWaits() {
			rtt = session.conn.Stats().SmoothedRTT
		}
		closes = w.machine.Finish(now, rtt)
	})
	w.isOver.Store(true)
	if !closes {
		return nil
	}
	if err := w.qs.Close(); err != nil {
		return session.streamError(err)
	}
	return nil
}

// CancelWrite resets the stream with a code, and makes Write fail. What was written
// may not arrive, but the peer learns to which session the stream belongs.
func (w *SendStream) CancelWrite(code uint32) {
	w.qs.CancelWrite(wt.ToHTTP(code))
	w.over()
}

// SetWriteDeadline sets the time after which Write fails with
// os.ErrDeadlineExceeded; zero means never. The error is always nil.
func (w *SendStream) SetWriteDeadline(t time.Time) error {
	w.deadline.set(t)
	return w.qs.SetWriteDeadline(t)
}

// Context ends when sending has: everything was acknowledged, or the peer does not want
// it, or this end has reset it, or the connection has ended. Write tells which.
func (w *SendStream) Context() context.Context { return w.qs.Context() }

// over notes that nothing more is to be sent.
func (w *SendStream) over() {
	if w.isOver.CompareAndSwap(false, true) {
		w.hub.tell(func(*wt.Conn) { w.machine.SendOver() })
	}
}

// reset resets the stream, as the machine says.
func (w *SendStream) reset(code h3.ErrorCode) {
	w.isOver.Store(true)
	w.qs.CancelWrite(uint64(code))
}

// writeDeadline is the deadline of those who wait for the session's flow control.
type writeDeadline struct {
	mu      sync.Mutex
	at      time.Time
	changed chan struct{} // closed by set; nil if nobody watches
}

func (d *writeDeadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// watch returns the deadline, zero for none, and a channel that tells when there is another.
func (d *writeDeadline) watch() (at time.Time, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.at, d.changed
}
