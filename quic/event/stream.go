package event

import (
	"context"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// Stream names a stream. It is a small value that can be copied and compared; the zero
// Stream names none. Reading and writing are methods of Turn; those of Stream may be
// called from any goroutine.
//
// A Stream that was released, or the zero one, does no harm: what is read or written
// fails, and the rest does nothing.
type Stream struct{ ref face.Ref }

// ID returns the stream's ID; its two lowest bits say who opened it and whether it is
// unidirectional (RFC 9000, Section 2.1).
func (s Stream) ID() uint64 { return s.ref.ID() }

// CancelRead is quic.ReceiveStream.CancelRead.
func (s Stream) CancelRead(code uint64) {
	face.CheckCode(code)
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.CancelRead(code)
	}
}

// CancelWrite is quic.SendStream.CancelWrite.
func (s Stream) CancelWrite(code uint64) {
	face.CheckCode(code)
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.CancelWrite(code)
	}
}

// SetPriority is quic.SendStream.SetPriority.
func (s Stream) SetPriority(urgency uint8, incremental bool) {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.SetPriority(urgency, incremental)
	}
}

// TryRead is quic.ReceiveStream.Read, but does not wait: it returns 0 and nil when nothing
// is there. On the event loop, Turn.Read does the same.
func (s Stream) TryRead(p []byte) (int, error) {
	in := s.ref.Enter()
	if in == nil {
		return 0, face.ErrReleased
	}
	defer in.Leave()
	return in.TryRead(p)
}

// Room returns how many bytes Turn.Write would take now, and quic.SendStream.Write without
// waiting.
func (s Stream) Room() int {
	in := s.ref.Enter()
	if in == nil {
		return 0
	}
	defer in.Leave()
	return in.Room()
}

// Unsent returns how many of the bytes written have not been sent yet, not even once: the
// peer's flow control, the congestion controller or the pacer holds them back. It is 0 when
// sending has ended. If there is something, StreamHandler.HandleWritable tells when all of
// it has been sent: that is for callers that would rather replace what waits than add to it.
func (s Stream) Unsent() int {
	in := s.ref.Enter()
	if in == nil {
		return 0
	}
	defer in.Leave()
	return in.Unsent()
}

// NothingSent reports whether none of the bytes written has left, not even once. When the
// connection has ended, that is for good: the peer knows of nothing that was written.
func (s Stream) NothingSent() bool {
	in := s.ref.Enter()
	if in == nil {
		return false
	}
	defer in.Leave()
	return in.NothingSent()
}

// MarkReliable is quic.SendStream.MarkReliable.
func (s Stream) MarkReliable() {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.MarkReliable()
	}
}

// Context is quic.SendStream.Context.
func (s Stream) Context() context.Context {
	in := s.ref.Enter()
	if in == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(face.ErrReleased)
		return ctx
	}
	defer in.Leave()
	return in.Context()
}

// Detach takes the stream from its StreamHandler, which is told only of ends from then
// on (HandleEnd): goroutines use it with calls that block. It may be called again. Of a
// stream in one direction only the half that exists may be used.
func (s Stream) Detach() *quic.Stream {
	detach(s.ref)
	return blocking(s.ref) // inlined, it costs no allocation where the memory is the caller's
}

func detach(r face.Ref) {
	if in := r.Enter(); in != nil {
		in.DetachReading()
		in.DetachWriting()
		in.Leave()
	}
}

// DetachSend is Detach for the sending half alone: the receiving half stays its
// StreamHandler's.
func (s Stream) DetachSend() *quic.SendStream {
	if in := s.ref.Enter(); in != nil {
		in.DetachWriting()
		in.Leave()
	}
	return &blocking(s.ref).SendStream
}

// Handle makes h the one who is told of s, nil for nobody. Of what has ended before,
// h is told at once.
func (t Turn) Handle(s Stream, h StreamHandler) {
	if in := s.ref.In(t.turn); in != nil {
		in.Handle(t.turn, h)
	}
}

// Handler returns who is told of s, nil for nobody.
func (t Turn) Handler(s Stream) StreamHandler {
	if in := s.ref.In(t.turn); in != nil {
		h, _ := in.Handler().(StreamHandler)
		return h
	}
	return nil
}

// Read reads up to len(p) bytes of s: 0 and nil when nothing is there. The error is
// that of quic.ReceiveStream.Read.
func (t Turn) Read(s Stream, p []byte) (int, error) {
	if in := s.ref.In(t.turn); in != nil {
		return in.TryRead(p)
	}
	return 0, face.ErrReleased
}

// Write takes as much of p as fits, a copy, and returns how much that was. The error is
// that of quic.SendStream.Write.
func (t Turn) Write(s Stream, p []byte) (int, error) {
	if in := s.ref.In(t.turn); in != nil {
		return in.TryWrite(p)
	}
	return 0, face.ErrReleased
}

// WriteLast takes all of p, and ends the sending half. It takes what is beyond Stream.Room,
// too, which flow control and quic.TransportConfig.MaxBufferedBytes bound otherwise, so p
// should be little.
func (t Turn) WriteLast(s Stream, p []byte) (int, error) {
	if in := s.ref.In(t.turn); in != nil {
		return in.TakeLast(p)
	}
	return 0, face.ErrReleased
}

// Release gives the stream up: no handler is told of it any more, and everything that
// names it, Stream or Stream, fails from then on. Once the stream has ended as well,
// its memory is reused, so that servers and clients of short streams, like requests,
// allocate less; without Release it is left to the garbage collector. What was written and
// closed is sent as without it; a stream whose halves are not read to the end, closed or
// cancelled stays as long as the connection.
func (t Turn) Release(s Stream) {
	if in := s.ref.In(t.turn); in != nil {
		in.Release()
	}
}
