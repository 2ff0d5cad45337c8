package quic

import (
	"fmt"
	"os"
)

// Write writes p and waits until all of it is buffered. It does not keep p. An
// error comes with the number of bytes taken before: a *StreamError if the peer
// does not want more or CancelWrite was called, ErrWriteClosed after Close,
// os.ErrDeadlineExceeded, or the connection's.
func (s *Stream) Write(p []byte) (int, error) {
	n, err := s.TryWrite(p)
	if n == len(p) || err != nil {
		return n, err
	}
	wake := s.waiting(&s.writing)
	for {
		m, err := s.TryWrite(p[n:])
		n += m
		if n == len(p) || err != nil {
			return n, err
		}
		<-wake
	}
}

// TryWrite is Write that does not wait: it takes as much of p as fits and
// returns how much that was.
func (s *Stream) TryWrite(p []byte) (int, error) {
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

// NothingSent reports whether none of the bytes written has left, not even once. When
// the connection has ended, that is for good: the peer knows of nothing that was written.
// Any goroutine may call it.
func (s *Stream) NothingSent() bool { return s.link.Send.NothingSent() }

// AwaitSent returns how many of the bytes written have not been sent yet, not even
// once: the peer's flow control, the congestion controller or the pacer holds them
// back. If there are any, Handler.HandleWritable tells when all of them have been. It
// is for who would rather replace what waits than add to it. Any goroutine may call
// it; it returns 0 when sending has ended.
func (s *Stream) AwaitSent() int {
	if s.is(flagNoWriting | flagWriteCancelled) {
		return 0
	}
	return s.link.Send.AwaitSent()
}

// WriteLast is Write and Close in one step, so that the end of the stream needs
// no packet of its own. On an event-driven stream it does not wait but buffers
// all of p, which should be little: see Room.
func (s *Stream) WriteLast(p []byte) (n int, err error) {
	if !s.mayBlock() {
		return s.writeLast(p, true)
	}
	n, err = s.writeLast(p, false)
	if n == len(p) || err != nil {
		return n, err
	}
	wake := s.waiting(&s.writing)
	for {
		m, err := s.writeLast(p[n:], false)
		n += m
		if n == len(p) || err != nil {
			return n, err
		}
		<-wake
	}
}

// writeLast writes as much of p as fits, or all, and closes the sending half if that
// is all of p.
func (s *Stream) writeLast(p []byte, all bool) (n int, err error) {
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

// Room returns how many bytes TryWrite would take now.
func (s *Stream) Room() int {
	if s.is(flagNoWriting | flagWriteExpired | flagWriteCancelled) {
		return 0
	}
	return s.link.Send.Room()
}

// mayBlock reports whether calls come from goroutines that may wait.
func (s *Stream) mayBlock() bool { return s.conn.conf.NewHandler == nil || s.is(flagDetached) }

// Close ends the sending half: the peer reads io.EOF after what was written.
// Reading goes on. Closing twice does nothing; the error is the one that ended
// the sending half before, if any.
func (s *Stream) Close() error {
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

// writeError says why there is no writing.
func (s *Stream) writeError() error {
	switch {
	case s.is(flagNoWriting):
		return fmt.Errorf("quic: stream %d only receives", s.ID())
	case s.is(flagWriteCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return &StreamError{StreamID: s.ID(), Code: s.link.ResetCode()}
	}
	return os.ErrDeadlineExceeded
}

// MarkReliable makes what was written so far arrive even if CancelWrite is
// called later, of which the peer learns only then. If it does not understand
// RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset), whether it has read
// everything by then is up to it. Calling MarkReliable again extends the mark.
func (s *Stream) MarkReliable() { s.link.Send.MarkReliable() }

// CancelWrite ends the sending half abruptly with an application's code
// (RESET_STREAM), and makes Write fail. What was written may not arrive. Calls
// after the first, and after everything was acknowledged, do nothing. A code of
// 1<<62 or more makes it panic.
func (s *Stream) CancelWrite(code uint64) {
	checkCode(code)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is(flagNoWriting | flagWriteCancelled) {
		return
	}
	s.flags.Or(flagWriteCancelled)
	s.link.Reset(code)
	s.writing.signal()
}
