package face

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// Stream is what all names of a stream lead to. Methods may be called by any goroutine,
// within Ref.Enter and Leave, unless they say otherwise.
type Stream struct {
	// use has in its upper half how often the memory was released, which a Ref has to
	// know, and in the lower one how many calls from any goroutine are within.
	use atomic.Uint64
	mu  sync.Mutex // of the memory: who waits for it may mean a stream before
	streamState
}

// streamState is a stream without its name and lock, what a new one in its memory begins
// with.
type streamState struct {
	link  loop.Stream
	conn  *Conn
	flags atomic.Uint32

	// Of the loop's goroutine:
	told    uint8 // a bit for each EndKind that the handler knows of
	ended   bool  // the engine has forgotten it
	handler any   // an event.StreamHandler, nil for nobody

	// Guarded by mu:
	sendOver bool // the sending half has ended
	reading  half
	writing  half
	rare     *rarities // nil without any
	sendErr  error     // why the sending half has ended, nil for "all was acknowledged"
}

// rarities are what few streams have. They are guarded by the stream's lock.
type rarities struct {
	ctx       context.Context // made when asked for
	cancel    context.CancelCauseFunc
	deadlines *deadlines // nil before the first
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
	readDetached  = 1 << iota // of this half the handler is told only how it ends
	writeDetached             // likewise
	readExpired               // the deadline has passed
	writeExpired              // likewise
	readCancelled
	writeCancelled
	noReading // the stream only sends
	noWriting // the stream only receives
	released  // by Release
)

// NewStream makes the stream for an engine's. On the loop's goroutine.
func (c *Conn) NewStream(e *engine.Stream) *Stream {
	s := streamPool.Get().(*Stream)
	s.conn = c
	s.link.Init(c.Link, e)
	if !e.Receives() {
		s.flags.Or(noReading)
	}
	if !e.Sends() {
		s.flags.Or(noWriting)
		s.sendOver = true
	}
	e.App = s
	return s
}

// Conn returns the stream's connection.
func (s *Stream) Conn() *Conn { return s.conn }

// Uni reports whether the stream has one direction.
func (s *Stream) Uni() bool { return s.link.ID.Uni() }

// DetachReading has calls that wait read the stream: its handler is told only how the
// half ends.
func (s *Stream) DetachReading() { s.flags.Or(readDetached) }

// DetachWriting is DetachReading for the other half.
func (s *Stream) DetachWriting() { s.flags.Or(writeDetached) }

// Context returns what quic.SendStream.Context does.
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

// waiting returns the channel on which h is signalled. The caller must look
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
