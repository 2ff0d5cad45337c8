package quic

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// Stream is a stream of a connection that carries bytes in both directions, which are
// a stream in one direction each, and end each on its own. One goroutine may read and
// another write at the same time; Close counts as writing. The other methods may be
// called from any goroutine.
type Stream struct {
	SendStream
	ReceiveStream
}

// SendStream is a stream, or the half of one, that this end sends on. One goroutine at
// a time may write, and Close counts as writing; the other methods may be called from
// any.
type SendStream struct{ ref StreamRef }

// ReceiveStream is a stream, or the half of one, that the peer sends on. One goroutine
// at a time may read; the other methods may be called from any.
type ReceiveStream struct{ ref StreamRef }

// ID returns the stream's ID. Its two lowest bits say who opened it and whether
// it is unidirectional (RFC 9000, Section 2.1).
func (s *Stream) ID() uint64 { return s.SendStream.ref.ID() }

// Conn returns the connection that the stream belongs to, nil after Turn.Release.
func (s *Stream) Conn() *Conn {
	in := s.Ref().enter()
	if in == nil {
		return nil
	}
	defer in.leave()
	return in.conn
}

// ID returns the stream's ID: see Stream.ID.
func (s *SendStream) ID() uint64 { return s.ref.ID() }

// ID returns the stream's ID: see Stream.ID.
func (s *ReceiveStream) ID() uint64 { return s.ref.ID() }

// Ref returns the stream's name on the event face.
func (s *Stream) Ref() StreamRef { return s.SendStream.ref }

// Ref returns the stream's name on the event face.
func (s *SendStream) Ref() StreamRef { return s.ref }

// Ref returns the stream's name on the event face.
func (s *ReceiveStream) Ref() StreamRef { return s.ref }

// stream is what all names of a stream lead to.
type stream struct {
	// use has in its upper half how often the memory was released, which a StreamRef
	// has to know, and in the lower one how many calls from any goroutine are within.
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
	told    uint8         // a bit for each EndKind that the handler knows of
	ended   bool          // the engine has forgotten it
	handler StreamHandler // nil for nobody

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
func (s *stream) rarely() *rarities {
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
	flagReadDetached  = 1 << iota // of this half the handler is told only how it ends
	flagWriteDetached             // likewise
	flagReadExpired               // the deadline has passed
	flagWriteExpired              // likewise
	flagReadCancelled
	flagWriteCancelled
	flagNoReading // the stream only sends
	flagNoWriting // the stream only receives
	flagReleased  // by Turn.Release
)

// newStream makes the stream for an engine's. On the loop's goroutine.
func (c *Conn) newStream(e *engine.Stream) *stream {
	s := streamPool.Get().(*stream)
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

// Context returns a context that is cancelled when the sending half ends: when
// the peer has acknowledged everything including the end, with the cause
// context.Canceled; when this side or the peer cancelled it, with a
// *StreamError; and with the connection's error.
func (s *SendStream) Context() context.Context { return s.ref.Context() }

// sendEnded notes that the sending half has ended. On the loop's goroutine.
func (s *stream) sendEnded(err error) {
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
func (s *stream) signal(h *half) {
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
func (s *stream) waiting(h *half) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	return h.wake
}

// is reports whether one of the flags is set.
func (s *stream) is(flags uint32) bool { return s.flags.Load()&flags != 0 }

// void reports whether nothing can be done with a stream but to see errors.
func (s *stream) void() bool {
	_, err := s.link.Recv.Read(nil)
	return isReset(err) && (s.is(flagNoWriting) || s.link.Send.Err() != nil)
}
