package quic

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// Stream is a stream of a connection: an ordered sequence of bytes in each
// direction, or in one. One goroutine may read and another write at the same
// time; Close counts as writing. The other methods may be called from any
// goroutine.
//
// Streams of an event-driven connection are used on its loop's goroutine, with
// methods that do not block, until Detach.
type Stream struct {
	link  loop.Stream
	conn  *Conn
	flags atomic.Uint32

	sendOver bool // the sending half has ended; guarded by mu
	value    any

	mu      sync.Mutex
	reading half
	writing half
	rare    *rarities // nil without any
	sendErr error     // why the sending half has ended, nil for "all was acknowledged"
}

// rarities are what few streams have. They are guarded by the stream's lock.
type rarities struct {
	ctx                   context.Context // made when asked for
	cancel                context.CancelCauseFunc
	readTimer, writeTimer *time.Timer // for the deadlines
	hooks                 hooks
}

// rarely returns what few streams have. The lock is held.
func (s *Stream) rarely() *rarities {
	if s.rare == nil {
		s.rare = new(rarities)
	}
	return s.rare
}

// half is what one direction needs for those who wait. It is guarded by the
// stream's lock.
type half struct {
	wake chan struct{} // has room for one; made when somebody waits
}

// The flags of a stream.
const (
	flagDetached     = 1 << iota // the Handler is not told
	flagReadExpired              // the deadline has passed
	flagWriteExpired             // likewise
	flagReadCancelled
	flagWriteCancelled
	flagNoReading // the stream only sends
	flagNoWriting // the stream only receives
	flagHooks     // somebody has hooks
	flagReleased  // Release was called, and the loop has taken notice
)

// newStream makes the Stream for an engine's. On the loop's goroutine.
func (c *Conn) newStream(e *engine.Stream) *Stream {
	s := streamPool.Get().(*Stream)
	s.conn = c
	s.link.Init(c.link, e)
	if !e.Receives() {
		s.flags.Or(flagNoReading)
	}
	if !e.Sends() {
		s.flags.Or(flagNoWriting)
		s.sendOver = true
	}
	e.App = s
	return s
}

// ID returns the stream's ID. Its two lowest bits say who opened it and whether
// it is unidirectional (RFC 9000, Section 2.1).
func (s *Stream) ID() uint64 { return uint64(s.link.ID) }

// Conn returns the connection that the stream belongs to.
func (s *Stream) Conn() *Conn { return s.conn }

// SetValue keeps v for Value: a Handler's own state. The two are to be used on
// the loop's goroutine, or by goroutines that know of each other.
func (s *Stream) SetValue(v any) { s.value = v }

// Value returns what SetValue was given last.
func (s *Stream) Value() any { return s.value }

// Detach takes the stream from the connection's Handler, which is told no more
// of it: from now on goroutines use it with calls that block.
func (s *Stream) Detach() { s.flags.Or(flagDetached) }

// Context returns a context that is cancelled when the sending half ends: when
// the peer has acknowledged everything including the end, with the cause
// context.Canceled; when this side or the peer cancelled it, with a
// *StreamError; and with the connection's error. For a stream that only
// receives it is cancelled from the start.
func (s *Stream) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rarely()
	if r.ctx == nil {
		r.ctx, r.cancel = context.WithCancelCause(context.Background())
		if s.sendOver {
			r.cancel(s.sendErr)
		}
	}
	return r.ctx
}

// WriteClosed returns Context().Done().
func (s *Stream) WriteClosed() <-chan struct{} { return s.Context().Done() }

// sendEnded notes that the sending half has ended. On the loop's goroutine.
func (s *Stream) sendEnded(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sendOver {
		return
	}
	s.sendOver, s.sendErr = true, err
	if s.rare != nil && s.rare.cancel != nil {
		s.rare.cancel(err)
	}
}

// signal makes whoever waits on h look again.
func (s *Stream) signal(h *half) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.signal()
}

// signal is for those who hold the lock.
func (h *half) signal() {
	if h.wake == nil {
		return // nobody waits
	}
	select {
	case h.wake <- struct{}{}:
	default: // is told already
	}
}

// waiting returns the channel on which h is signalled. Who waits must look
// again after this call: what happened before it was not signalled.
func (s *Stream) waiting(h *half) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	return h.wake
}

// is reports whether one of the flags is set.
func (s *Stream) is(flags uint32) bool { return s.flags.Load()&flags != 0 }

// void reports whether nothing can be done with a stream but to see errors.
func (s *Stream) void() bool {
	_, err := s.link.Recv.Read(nil)
	return isReset(err) && (s.is(flagNoWriting) || s.link.Send.Err() != nil)
}
