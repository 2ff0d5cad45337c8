package quic

import (
	"context"
	"errors"

	"github.com/godwit-quic/godwit/internal/engine"
)

// StreamRef names a stream of an event-driven connection. It is a small value that can
// be copied and compared; the zero StreamRef names none. Reading and writing are
// methods of Turn; those of StreamRef may be called from any goroutine.
//
// A StreamRef of a stream that was released, or the zero one, does no harm: what is
// read or written fails, and the rest does nothing.
type StreamRef struct {
	stream     *stream
	generation uint32 // of the stream's memory
	id         uint64
}

// errReleased is the error of using a stream after Turn.Release.
var errReleased = errors.New("quic: the stream was released")

// enter returns the stream if it was not released, and keeps its memory from serving
// another until leave; nil otherwise.
func (s StreamRef) enter() *stream {
	switch {
	case s.stream == nil:
	case uint32(s.stream.use.Add(1)>>32) == s.generation:
		return s.stream
	default:
		s.stream.leave()
	}
	return nil
}

// leave ends what enter has begun.
func (s *stream) leave() { s.use.Add(^uint64(0)) }

// ID returns the stream's ID; its two lowest bits say who opened it and whether it is
// unidirectional (RFC 9000, Section 2.1).
func (s StreamRef) ID() uint64 { return s.id }

// CancelRead is ReceiveStream.CancelRead.
func (s StreamRef) CancelRead(code uint64) {
	checkCode(code)
	if in := s.enter(); in != nil {
		defer in.leave()
		in.cancelRead(code)
	}
}

// CancelWrite is SendStream.CancelWrite.
func (s StreamRef) CancelWrite(code uint64) {
	checkCode(code)
	if in := s.enter(); in != nil {
		defer in.leave()
		in.cancelWrite(code)
	}
}

// SetPriority is SendStream.SetPriority.
func (s StreamRef) SetPriority(urgency uint8, incremental bool) {
	if in := s.enter(); in != nil {
		defer in.leave()
		in.setPriority(urgency, incremental)
	}
}

// Context is SendStream.Context.
func (s StreamRef) Context() context.Context {
	in := s.enter()
	if in == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errReleased)
		return ctx
	}
	defer in.leave()
	in.mu.Lock()
	defer in.mu.Unlock()
	r := in.rarely()
	if r.ctx == nil {
		r.ctx, r.cancel = context.WithCancelCause(context.Background())
		if in.sendOver {
			r.cancel(in.sendErr)
		}
	}
	return r.ctx
}

// Detach takes the stream from its StreamHandler, which is told only of ends from then
// on (HandleEnd): goroutines use it with calls that block. It may be called again and
// returns the same stream. Of a stream in one direction the other half is of no use.
func (s StreamRef) Detach() *Stream {
	s.detach(flagReadDetached | flagWriteDetached)
	return s.blocking()
}

// DetachSend is Detach for the sending half alone: the receiving half stays its
// StreamHandler's.
func (s StreamRef) DetachSend() *SendStream {
	s.detach(flagWriteDetached)
	return &SendStream{s}
}

func (s StreamRef) detach(halves uint32) {
	if in := s.enter(); in != nil {
		in.flags.Or(halves)
		in.leave()
	}
}

// blocking returns the stream as goroutines see it.
func (s StreamRef) blocking() *Stream { return &Stream{SendStream{s}, ReceiveStream{s}} }

// in returns a stream of the connection that was not released, otherwise nil.
func (t *Turn) in(s StreamRef) *stream {
	c := t.of()
	in := s.stream
	if in == nil || uint32(in.use.Load()>>32) != s.generation {
		return nil
	}
	if in.conn != c {
		panic("quic: a stream was used with the Turn of another connection")
	}
	return in
}

// Handle makes h the one who is told of s, nil for nobody. Of what has ended before,
// h is told at once.
func (t *Turn) Handle(s StreamRef, h StreamHandler) {
	if in := t.in(s); in != nil {
		in.handler, in.told = h, 0
		in.noticeReceivingEnd(t)
		in.noticeSendingEnd(t)
	}
}

// Handler returns who is told of s, nil for nobody.
func (t *Turn) Handler(s StreamRef) StreamHandler {
	if in := t.in(s); in != nil {
		return in.handler
	}
	return nil
}

// Read reads up to len(p) bytes of s: 0 and nil when nothing is there. The error is
// that of ReceiveStream.Read.
func (t *Turn) Read(s StreamRef, p []byte) (int, error) {
	if in := t.in(s); in != nil {
		return in.tryRead(p)
	}
	return 0, errReleased
}

// Write takes as much of p as fits, a copy, and returns how much that was. The error is
// that of SendStream.Write.
func (t *Turn) Write(s StreamRef, p []byte) (int, error) {
	if in := t.in(s); in != nil {
		return in.tryWrite(p)
	}
	return 0, errReleased
}

// WriteLast takes all of p, which should be little (see Room), and ends the sending half.
func (t *Turn) WriteLast(s StreamRef, p []byte) (int, error) {
	if in := t.in(s); in != nil {
		return in.writeLast(p, true)
	}
	return 0, errReleased
}

// MarkReliable is SendStream.MarkReliable.
func (t *Turn) MarkReliable(s StreamRef) {
	if in := t.in(s); in != nil {
		in.link.Send.MarkReliable()
	}
}

// Room returns how many bytes Write would take now.
func (t *Turn) Room(s StreamRef) int {
	if in := t.in(s); in != nil {
		return in.room()
	}
	return 0
}

// Unsent is SendStream.Unsent. If there is something, StreamHandler.HandleWritable tells
// when all of it has been sent. It is for callers that would rather replace what waits
// than add to it.
func (t *Turn) Unsent(s StreamRef) int {
	if in := t.in(s); in != nil {
		return in.unsent()
	}
	return 0
}

// Release gives the stream up: no handler is told of it any more, and everything that
// names it, StreamRef or Stream, fails from then on. Once the stream has ended as well,
// its memory serves another, so that servers and clients of short streams, like
// requests, allocate less. What was written and closed is sent as without it; a stream
// whose halves are not read to the end, closed or cancelled stays as long as the
// connection.
func (t *Turn) Release(s StreamRef) {
	if in := t.in(s); in != nil {
		in.release()
	}
}

// noticeReceivingEnd tells the handler how receiving has ended, if it has before the
// stream's end and the handler does not know. On the loop's goroutine.
func (s *stream) noticeReceivingEnd(t *Turn) {
	if s.handler == nil {
		return
	}
	err, ok := s.link.Recv.Err().(*engine.StreamError)
	if !ok {
		return
	}
	public := (*StreamError)(err)
	if err.Remote && s.tell(PeerReset) {
		s.handler.HandleEnd(t, s.ref(), End{Kind: PeerReset, Err: public})
	}
	if s.handler == nil {
		return
	}
	if n, known := s.link.Recv.Discarded(); known && s.tell(ReceivingCut) {
		s.handler.HandleEnd(t, s.ref(), End{Kind: ReceivingCut, Err: public, Lost: n})
	}
}

// noticeSendingEnd tells the handler that sending was cancelled, if it does not know.
// On the loop's goroutine.
func (s *stream) noticeSendingEnd(t *Turn) {
	if s.handler == nil {
		return
	}
	err, ok := s.link.Send.Err().(*engine.StreamError)
	if !ok {
		return
	}
	if n, known := s.link.Send.Unsent(); known && s.tell(SendingCut) {
		s.handler.HandleEnd(t, s.ref(), End{Kind: SendingCut, Err: (*StreamError)(err), Lost: n})
	}
}

// tell notes that the handler is told of an end, and reports whether that is new.
func (s *stream) tell(kind EndKind) bool {
	before := s.told
	s.told |= 1 << kind
	return s.told != before
}
