package http3

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// body is the content of a message as it arrives, an io.ReadCloser: the reading half of
// package h3's RequestStream for goroutines.
//
// Close may be called while another goroutine reads.
type body struct {
	rs     h3.RequestStream
	conn   *conn
	stream *quic.Stream // nil while it is the loop's
	owner  bodyOwner
	paced  *exchange // at a server, when the client has a minimum rate

	mu     sync.Mutex // held while reading
	err    error      // what every further Read returns
	paused error      // a deadline's, after which reading may go on

	wake      atomic.Pointer[chan struct{}] // for a reader that waits for insertions
	readUntil atomic.Int64                  // the deadline, in nanoseconds as time.Time.UnixNano has them; 0 for none
	complete  atomic.Bool                   // read to its end, or failed
	closed    atomic.Bool
}

// bodyOwner is the request or response a body belongs to.
type bodyOwner interface {
	// handleTrailers is called with the trailers, before Read returns io.EOF.
	handleTrailers(fields []qpack.Field)
	// handleBodyEnd is called once, when the end was read or reading failed
	// (err is not io.EOF then), and returns the error for Read to return.
	handleBodyEnd(err error) error
	// closeCode is what the sender is told when the body is closed early.
	closeCode() h3.ErrorCode
}

// detach makes the stream, which was the loop's, one for goroutines.
func (b *body) detach(s *quic.Stream) {
	b.rs.Stream().SetHandler(nil)
	b.stream = s
	b.rs.Detach((*waitingStream)(b))
}

// Read reads content. It returns io.EOF once the message was complete.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(p) == 0 {
		return 0, b.err
	}
	for b.err == nil {
		n, err := b.rs.Read(p)
		switch {
		case err == h3.ErrBlocked:
			if err := b.awaitInsertions(); isDeadline(err) {
				return 0, err
			} else if err != nil {
				b.rs.Abandon()
				b.finish(err)
			}
		case errors.Is(err, h3.ErrPaused):
			return n, b.paused
		case err != nil:
			b.finish(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, b.err
}

// isDeadline reports whether err is that of a read deadline: reading can go on
// with a later one.
func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// cmpErr returns the first of two errors that is not nil.
func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func (b *body) finish(err error) {
	if b.err != nil {
		return
	}
	b.complete.Store(true)
	if trailers := b.rs.Trailers(); err == io.EOF && trailers != nil {
		b.owner.handleTrailers(trailers)
	}
	b.err = b.owner.handleBodyEnd(err)
}

// Close ends reading. What has not been read is not wanted.
func (b *body) Close() error {
	if b.closed.CompareAndSwap(false, true) && !b.complete.Load() {
		b.rs.StopReading(b.owner.closeCode())
		b.signal()
		// A Read under way returns now; the end is reported exactly once.
		b.mu.Lock()
		defer b.mu.Unlock()
		b.finish(http.ErrBodyReadAfterClose)
	}
	return nil
}

// checkEnd looks at what has arrived with the header section, when that is all
// of the message, without a reader having asked for it: see RequestStream.CheckEnd.
// When somebody is reading right now, it is left to that reader.
func (b *body) checkEnd() error {
	if b.rs.Whole() || !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	if b.err != nil {
		return nil
	}
	if err := b.rs.CheckEnd(); err != nil {
		b.finish(err)
	}
	return b.err
}

// setReadDeadline sets until when the content can be read.
func (b *body) setReadDeadline(t time.Time) error {
	at := int64(0)
	if !t.IsZero() {
		at = t.UnixNano()
	}
	b.readUntil.Store(at)
	err := b.stream.SetReadDeadline(t)
	b.signal()
	return err
}

// awaitInsertions waits until it is worth trying again to decode a section that waits for
// insertions into the dynamic table. The error is that of the stream, of a deadline or of
// the connection. The first call does not wait: what has happened before somebody could be
// told shows when it is tried again.
func (b *body) awaitInsertions() error {
	wake := b.wake.Load()
	if wake == nil {
		made := make(chan struct{}, 1)
		b.wake.Store(&made)
		return nil
	}
	if _, err := event.Of(b.stream).TryRead(nil); err != nil && err != io.EOF {
		return err
	}
	if at := b.readUntil.Load(); at != 0 {
		b.conn.Post(func() {
			t := b.conn.turn
			t.SetTimer(new(event.Timer), t.Now()+time.Until(time.Unix(0, at)), event.TimerFunc(func(event.Turn) { b.signal() }))
		})
	}
	select {
	case <-*wake:
		return nil
	case <-b.conn.qc.Done():
		return b.conn.qc.Err()
	}
}

// signal makes a reader that waits for insertions look again. Any goroutine may call it.
func (b *body) signal() {
	if wake := b.wake.Load(); wake != nil {
		select {
		case *wake <- struct{}{}:
		default:
		}
	}
}
