package webtransport

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// ReceiveStream is a stream, or half of one, that the peer sends on. One
// goroutine at a time may read; the other methods may be called from any.
type ReceiveStream struct {
	half
	qs     *quic.ReceiveStream
	isOver atomic.Bool
	ending atomic.Bool // the session has ended

	mu      sync.Mutex // held while reading
	kept    []byte     // with keptErr: what is left to be read after the session's end
	keptErr error
}

// ID returns the ID of the QUIC stream.
func (r *ReceiveStream) ID() uint64 { return r.qs.ID() }

// Read reads up to len(p) bytes and waits until there is one. The error is io.EOF
// at the stream's end, a *StreamError if the peer reset the stream or CancelRead
// was called, os.ErrDeadlineExceeded, or the session's. What arrived before the
// session ended can be read after it, within a bound.
func (r *ReceiveStream) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.ending.Load() && r.keptErr == nil {
			r.keep()
		}
		if r.keptErr != nil {
			return r.readKept(p)
		}
		n, err := r.qs.Read(p)
		if err != nil && r.ending.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
			continue // it was woken to notice
		}
		return n, r.noteRead(n, err)
	}
}

func (r *ReceiveStream) readKept(p []byte) (int, error) {
	n := copy(p, r.kept)
	if r.kept = r.kept[n:]; n > 0 || len(p) == 0 {
		return n, nil
	}
	r.kept = nil
	return 0, r.keptErr
}

// noteRead does what follows from a call of Read, and returns the error to return.
func (r *ReceiveStream) noteRead(n int, err error) error {
	session := r.owner()
	if n > 0 && session.counts {
		r.hub.tell(func(*wt.Conn) { r.machine.Consumed(r.hub.heardNow(), n) })
	}
	switch {
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	r.over()
	if err == io.EOF {
		return err
	}
	return session.streamError(err)
}

// CancelRead tells the peer with a code that nothing more will be read, and makes
// Read fail.
func (r *ReceiveStream) CancelRead(code uint32) {
	r.qs.CancelRead(wt.ToHTTP(code))
	r.over()
}

// SetReadDeadline sets the time after which Read fails with
// os.ErrDeadlineExceeded; zero means never. The error is always nil.
func (r *ReceiveStream) SetReadDeadline(t time.Time) error {
	if r.ending.Load() {
		return nil // nothing blocks any more
	}
	_ = r.qs.SetReadDeadline(t)
	if r.ending.Load() {
		r.wake()
	}
	return nil
}

// over notes that nothing more is to be read.
func (r *ReceiveStream) over() {
	if r.isOver.CompareAndSwap(false, true) {
		r.hub.tell(func(*wt.Conn) { r.machine.ReceiveOver() })
	}
}

// stop stops reading, as the machine says.
func (r *ReceiveStream) stop(e wt.Event) {
	switch {
	case e.Session == nil: // it belongs to none
		r.qs.CancelRead(uint64(e.Code))
	case e.Code == wt.CodeSessionGone:
		r.sessionEnded()
	default:
		r.qs.CancelRead(uint64(e.Code))
		r.over()
	}
}

// sessionEnded stops reading, and keeps what has arrived.
func (r *ReceiveStream) sessionEnded() {
	r.ending.Store(true)
	if r.mu.TryLock() {
		if r.keptErr == nil {
			r.keep()
		}
		r.mu.Unlock()
		return
	}
	r.wake() // the reader does the rest
}

// wake makes a Read that waits look again, without losing what has arrived.
func (r *ReceiveStream) wake() { _ = r.qs.SetReadDeadline(time.Unix(1, 0)) }

// keep takes what has arrived, so that the QUIC stream can go. The lock is held.
func (r *ReceiveStream) keep() {
	session := r.owner()
	_ = r.qs.SetReadDeadline(time.Time{})
	var buf [4096]byte
	for r.keptErr == nil {
		n, err := event.Of(r.qs).TryRead(buf[:])
		if !session.reserveKept(n) {
			n, err = 0, session.endedWith()
		}
		r.kept = append(r.kept, buf[:n]...)
		switch {
		case err == io.EOF:
			r.keptErr = err
		case err != nil:
			r.keptErr = session.streamError(err)
		case n == 0:
			r.keptErr = session.endedWith()
		}
	}
	if r.keptErr != io.EOF {
		r.qs.CancelRead(uint64(wt.CodeSessionGone))
	}
	r.over()
}

// reserveKept counts bytes that are kept after the session's end.
func (s *Session) reserveKept(n int) bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.machine.ReserveKept(n)
}
