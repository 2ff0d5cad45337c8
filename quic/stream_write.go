package quic

import (
	"fmt"
	"os"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Write writes p and waits until all of it is buffered. It does not keep p. An
// error comes with the number of bytes taken before: a *StreamError if the peer
// does not want more or CancelWrite was called, ErrWriteClosed after Close,
// os.ErrDeadlineExceeded, or the connection's.
func (s *SendStream) Write(p []byte) (int, error) { return s.write(p, (*stream).tryWrite) }

// WriteLast is Write and Close in one step, so that the end of the stream needs
// no packet of its own.
func (s *SendStream) WriteLast(p []byte) (n int, err error) {
	return s.write(p, (*stream).tryWriteLast)
}

// write has try take all of p.
func (s *SendStream) write(p []byte, try func(*stream, []byte) (int, error)) (int, error) {
	in := s.ref.enter()
	if in == nil {
		return 0, errReleased
	}
	defer in.leave()
	n, err := try(in, p)
	if n == len(p) || err != nil {
		return n, err
	}
	wake := in.waiting(&in.writing)
	for {
		m, err := try(in, p[n:])
		n += m
		if n == len(p) || err != nil {
			return n, err
		}
		<-wake
	}
}

// Close ends the sending half: the peer reads io.EOF after what was written.
// Reading goes on. Closing twice does nothing; the error is the one that ended
// the sending half before, if any.
func (s *SendStream) Close() error {
	in := s.ref.enter()
	if in == nil {
		return errReleased
	}
	defer in.leave()
	return in.closeWrite()
}

// CancelWrite ends the sending half abruptly with an application's code
// (RESET_STREAM), and makes Write fail. What was written may not arrive. Calls
// after the first, and after everything was acknowledged, do nothing. A code of
// 1<<62 or more makes it panic.
func (s *SendStream) CancelWrite(code uint64) { s.ref.CancelWrite(code) }

// MarkReliable makes what was written so far arrive even if CancelWrite is
// called later, of which the peer learns only then. If it does not understand
// RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset), whether it has read
// everything by then is up to it. Calling MarkReliable again extends the mark.
func (s *SendStream) MarkReliable() {
	if in := s.ref.enter(); in != nil {
		defer in.leave()
		in.link.Send.MarkReliable()
	}
}

// SetPriority says in which order the connection sends what its streams have.
// Streams of lower urgency go first, 0 before 7; beyond 7 counts as 7. Among
// those of one urgency, incremental ones take turns, and one that is not
// incremental sends all it has before the next (RFC 9218, Section 10). Without
// this call a stream is incremental, of urgency 3. The peer learns nothing of it.
func (s *SendStream) SetPriority(urgency uint8, incremental bool) {
	s.ref.SetPriority(urgency, incremental)
}

// Room returns how many bytes Write would take now without waiting.
func (s *SendStream) Room() int {
	in := s.ref.enter()
	if in == nil {
		return 0
	}
	defer in.leave()
	return in.room()
}

// Unsent returns how many of the bytes written have not been sent yet, not even
// once: the peer's flow control, the congestion controller or the pacer holds them
// back. It is 0 when sending has ended.
func (s *SendStream) Unsent() int {
	in := s.ref.enter()
	if in == nil {
		return 0
	}
	defer in.leave()
	return in.unsent()
}

// NothingSent reports whether none of the bytes written has left, not even once. When
// the connection has ended, that is for good: the peer knows of nothing that was written.
func (s *SendStream) NothingSent() bool {
	in := s.ref.enter()
	if in == nil {
		return false
	}
	defer in.leave()
	return in.link.Send.NothingSent()
}

func (s *stream) tryWrite(p []byte) (int, error) {
	if s.is(flagNoWriting | flagWriteExpired | flagWriteCancelled) {
		return 0, s.writeError()
	}
	n, err := s.link.Send.Write(p)
	if n > 0 {
		s.link.Written()
	}
	if err != nil {
		err = s.conn.publicError(err)
	}
	return n, err
}

func (s *stream) tryWriteLast(p []byte) (int, error) { return s.writeLast(p, false) }

// writeLast writes as much of p as fits, or all, and closes the sending half if that
// is all of p.
func (s *stream) writeLast(p []byte, all bool) (n int, err error) {
	if s.is(flagNoWriting | flagWriteExpired | flagWriteCancelled) {
		return 0, s.writeError()
	}
	if all {
		n, err = s.link.Send.WriteLast(p)
	} else {
		n, err = s.link.Send.TryWriteLast(p)
	}
	s.link.Written()
	if err != nil {
		err = s.conn.publicError(err)
	}
	return n, err
}

func (s *stream) closeWrite() error {
	if s.is(flagNoWriting | flagWriteCancelled) {
		return s.writeError()
	}
	err := s.link.Send.CloseWrite()
	s.link.Written()
	if err != nil {
		err = s.conn.publicError(err)
	}
	return err
}

func (s *stream) room() int {
	if s.is(flagNoWriting | flagWriteExpired | flagWriteCancelled) {
		return 0
	}
	return s.link.Send.Room()
}

func (s *stream) unsent() int {
	if s.is(flagNoWriting | flagWriteCancelled) {
		return 0
	}
	return s.link.Send.AwaitSent()
}

// writeError says why there is no writing.
func (s *stream) writeError() error {
	switch {
	case s.is(flagNoWriting):
		return fmt.Errorf("quic: stream %d only receives", s.link.ID)
	case s.is(flagWriteCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return &StreamError{StreamID: uint64(s.link.ID), Code: s.link.ResetCode()}
	}
	return os.ErrDeadlineExceeded
}

func (s *stream) cancelWrite(code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is(flagNoWriting | flagWriteCancelled) {
		return
	}
	s.flags.Or(flagWriteCancelled)
	s.link.Reset(code)
	s.writing.signal()
}

func (s *stream) setPriority(urgency uint8, incremental bool) {
	if !s.is(flagNoWriting) {
		s.link.Prioritize(engine.Urgency(min(urgency, 7)), incremental)
	}
}
