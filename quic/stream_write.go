package quic

import (
	"time"

	"github.com/godwit-quic/godwit/internal/face"
)

// Write writes p and waits until all of it is buffered; that it was received is told by
// Context. It does not keep p. An
// error comes with the number of bytes taken before: a *StreamError if the peer
// does not want more or CancelWrite was called, ErrWriteClosed after Close,
// os.ErrDeadlineExceeded, or the connection's.
func (s *SendStream) Write(p []byte) (int, error) {
	in := s.ref.Enter()
	if in == nil {
		return 0, face.ErrReleased
	}
	defer in.Leave()
	return in.Write(p)
}

// WriteLast is Write and Close in one step, so that the end of the stream needs
// no packet of its own.
func (s *SendStream) WriteLast(p []byte) (n int, err error) {
	in := s.ref.Enter()
	if in == nil {
		return 0, face.ErrReleased
	}
	defer in.Leave()
	return in.WriteLast(p)
}

// SetWriteDeadline sets the time after which Write and WriteLast fail, as
// SetReadDeadline does for reading. What was taken before is sent nevertheless. The
// error is always nil.
func (s *SendStream) SetWriteDeadline(t time.Time) error {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.SetWriteDeadline(t)
	}
	return nil
}

// Close ends the sending half: the peer reads io.EOF after what was written.
// Reading goes on. Closing twice does nothing; the error is the one that ended
// the sending half before, if any.
func (s *SendStream) Close() error {
	in := s.ref.Enter()
	if in == nil {
		return face.ErrReleased
	}
	defer in.Leave()
	return in.Close()
}

// CancelWrite ends the sending half abruptly with an application's code
// (RESET_STREAM), and makes Write fail. What was written may not arrive. Calls
// after the first, and after everything was acknowledged, do nothing. A code of
// 1<<62 or more makes it panic.
func (s *SendStream) CancelWrite(code uint64) {
	face.CheckCode(code)
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.CancelWrite(code)
	}
}

// MarkReliable makes what was written so far arrive even if CancelWrite is called later.
// The peer is told only when it is. A peer that does not understand RESET_STREAM_AT
// (draft-ietf-quic-reliable-stream-reset) may drop what it has not read yet. Calling
// MarkReliable again extends the mark.
func (s *SendStream) MarkReliable() {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.MarkReliable()
	}
}

// SetPriority says in which order the connection sends what its streams have.
// Streams of lower urgency go first, 0 before 7; beyond 7 counts as 7. Among
// those of one urgency, incremental ones take turns, and one that is not
// incremental sends all it has before the next (RFC 9218, Section 10). Without
// this call a stream is incremental, of urgency 3. The peer learns nothing of it.
func (s *SendStream) SetPriority(urgency uint8, incremental bool) {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.SetPriority(urgency, incremental)
	}
}
