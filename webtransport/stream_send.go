package webtransport

import (
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// SendStream is a stream, or the half of one, that this end sends on. One goroutine
// at a time may write, and Close counts as writing; the other methods may be called
// from any.
type SendStream struct {
	session *Session
	qs      *quic.SendStream
	isOver  atomic.Bool
	written atomic.Bool // something beyond the header
	lateEnd bool        // a FIN without content must not come with the header

	deadline writeDeadline
}

// StreamID returns the ID of the QUIC stream.
func (w *SendStream) StreamID() uint64 { return w.qs.ID() }

// Session returns the session that the stream belongs to.
func (w *SendStream) Session() *Session { return w.session }

// Write writes p and waits until all of it is buffered. It does not keep p. The
// error comes with the number of bytes taken before: a *StreamError if the peer
// does not want more or CancelWrite was called, quic.ErrWriteClosed after Close,
// os.ErrDeadlineExceeded, or the session's.
func (w *SendStream) Write(p []byte) (n int, err error) {
	if w.session.ended.Load() && !w.isOver.Load() {
		return 0, w.session.endedWith() // though the stream may be reset only later
	}
	if len(p) > 0 {
		w.written.Store(true)
	}
	if w.session.flow == nil {
		n, err = w.qs.Write(p)
	} else {
		n, err = w.writeWithin(w.session.flow, p)
	}
	return n, w.noteWrite(err)
}

// writeWithin writes as the session's flow control allows.
func (w *SendStream) writeWithin(f *flow, p []byte) (n int, err error) {
	for {
		allowed, wait := f.take(data, len(p)-n)
		if wait != nil {
			if err := w.await(wait.ready); err != nil {
				f.giveUp(data, wait)
				return n, err
			}
			if allowed = f.taken(wait); allowed == 0 {
				continue // the session is over, which the stream says
			}
		}
		m, err := w.qs.Write(p[n : n+allowed])
		if n += m; m < allowed {
			f.giveBack(data, uint64(allowed-m))
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// await waits for credit, the stream's end or the deadline.
func (w *SendStream) await(credit <-chan struct{}) error {
	for {
		expired, changed := w.deadline.watch()
		select {
		case <-credit:
			return nil
		case <-w.qs.Context().Done():
			_, err := w.qs.Write(nil)
			return err
		case <-expired:
			return os.ErrDeadlineExceeded
		case <-changed:
		}
	}
}

func (w *SendStream) noteWrite(err error) error {
	if err == nil || os.IsTimeout(err) {
		return err
	}
	if err != quic.ErrWriteClosed {
		w.over()
	}
	return w.session.streamError(err)
}

// lateEndDelay is how long a FIN waits that must not arrive together with the
// header, unless the round-trip time is longer: Firefox drops the connection when
// it finds both at once in a server's unidirectional stream.
const lateEndDelay = 20 * time.Millisecond

// Close finishes the stream: the peer reads its end after what was written. A
// stream that was closed is delivered even if the session ends.
func (w *SendStream) Close() error {
	if w.lateEnd && !w.written.Load() {
		time.AfterFunc(max(lateEndDelay, 2*w.session.conn.Stats().SmoothedRTT), func() { _ = w.qs.Close() })
		w.over()
		return nil
	}
	err := w.qs.Close()
	w.over()
	if err != nil {
		err = w.session.streamError(err)
	}
	return err
}

// CancelWrite resets the stream with a code, and makes Write fail. What was written
// may not arrive, but the peer learns to which session the stream belongs.
func (w *SendStream) CancelWrite(code uint32) {
	w.qs.CancelWrite(toHTTP(code))
	w.over()
}

// SetWriteDeadline sets the time after which Write fails with
// os.ErrDeadlineExceeded; zero means never. The error is always nil.
func (w *SendStream) SetWriteDeadline(t time.Time) error {
	w.deadline.set(t)
	return w.qs.SetWriteDeadline(t)
}

// WriteClosed returns a channel that is closed when sending has ended: everything
// was acknowledged, or the peer does not want it, or this end has reset it, or the
// connection has ended. Write tells which.
func (w *SendStream) WriteClosed() <-chan struct{} { return w.qs.Context().Done() }

// over notes that nothing more is to be sent.
func (w *SendStream) over() {
	if w.isOver.CompareAndSwap(false, true) {
		w.session.sendOver(w.qs.ID())
	}
}

// sessionEnded resets the stream (Section 6).
func (w *SendStream) sessionEnded() {
	w.qs.CancelWrite(uint64(codeSessionGone))
	w.over()
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

// watch returns a channel that tells when the deadline has passed, nil without
// one, and another that tells when there is a new deadline.
func (d *writeDeadline) watch() (expired <-chan time.Time, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	if !d.at.IsZero() {
		expired = time.After(time.Until(d.at))
	}
	return expired, d.changed
}
