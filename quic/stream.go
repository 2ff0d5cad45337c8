package quic

import (
	"context"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
)

// Stream is a stream of a connection that carries bytes in both directions: an io.Reader,
// io.Writer and io.Closer. It has the methods of its two halves, SendStream (Write, Close,
// CancelWrite) and ReceiveStream (Read, CancelRead), which end each on its own; to hand one
// on, take its address. One goroutine may read and another write at the same time; Close
// counts as writing. The other methods may be called from any goroutine.
type Stream struct {
	SendStream
	ReceiveStream
}

// SendStream is a stream, or the half of one, that this end sends on. One goroutine at
// a time may write, and Close counts as writing; the other methods may be called from
// any.
type SendStream struct{ ref face.Ref }

// ReceiveStream is a stream, or the half of one, that the peer sends on. One goroutine
// at a time may read; the other methods may be called from any.
type ReceiveStream struct{ ref face.Ref }

// ID returns the stream's ID. Its two lowest bits say who opened it and whether
// it is unidirectional (RFC 9000, Section 2.1).
func (s *Stream) ID() uint64 { return s.SendStream.ref.ID() }

// Conn returns the connection that the stream belongs to, nil after event.Turn.Release.
func (s *Stream) Conn() *Conn {
	in := s.SendStream.ref.Enter()
	if in == nil {
		return nil
	}
	defer in.Leave()
	return in.Conn().Owner.Public().(*Conn)
}

// ID returns the stream's ID: see Stream.ID.
func (s *SendStream) ID() uint64 { return s.ref.ID() }

// ID returns the stream's ID: see Stream.ID.
func (s *ReceiveStream) ID() uint64 { return s.ref.ID() }

// Context returns a context that is cancelled when the sending half ends: when
// the peer has acknowledged everything including the end, with the cause
// context.Canceled; when this side or the peer cancelled it, with a
// *StreamError; and with the connection's error.
func (s *SendStream) Context() context.Context {
	in := s.ref.Enter()
	if in == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(face.ErrReleased)
		return ctx
	}
	defer in.Leave()
	return in.Context()
}

// SetDeadline sets both deadlines: see SetReadDeadline and SetWriteDeadline.
// The error is always nil.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// blocking returns a stream as goroutines see it.
func blocking(r face.Ref) *Stream { return &Stream{SendStream{r}, ReceiveStream{r}} }

// nameOf implements face.Name.
func nameOf(s any) face.Ref {
	switch s := s.(type) {
	case *Stream:
		return s.SendStream.ref
	case *SendStream:
		return s.ref
	}
	return s.(*ReceiveStream).ref
}
