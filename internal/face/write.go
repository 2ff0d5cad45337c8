package face

import (
	"fmt"
	"os"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Write is quic.SendStream's.
func (s *Stream) Write(p []byte) (int, error) { return s.writeAll(p, (*Stream).TryWrite) }

// WriteLast is quic.SendStream's.
func (s *Stream) WriteLast(p []byte) (int, error) { return s.writeAll(p, (*Stream).tryWriteLast) }

// writeAll has try take all of p.
func (s *Stream) writeAll(p []byte, try func(*Stream, []byte) (int, error)) (int, error) {
	n, err := try(s, p)
	if n == len(p) || err != nil {
		return n, err
	}
	wake := s.waiting(&s.writing)
	for {
		m, err := try(s, p[n:])
		n += m
		if n == len(p) || err != nil {
			return n, err
		}
		<-wake
	}
}

// TryWrite is Write that does not wait: it takes what fits.
func (s *Stream) TryWrite(p []byte) (int, error) {
	if s.is(noWriting | writeExpired | writeCancelled) {
		return 0, s.writeError()
	}
	n, err := s.link.Send.Write(p)
	if n > 0 {
		s.link.Written()
	}
	if err != nil {
		err = s.conn.Owner.PublicError(err)
	}
	return n, err
}

// TakeLast takes all of p, and closes the sending half.
func (s *Stream) TakeLast(p []byte) (int, error) { return s.writeLast(p, true) }

func (s *Stream) tryWriteLast(p []byte) (int, error) { return s.writeLast(p, false) }

// writeLast writes as much of p as fits, or all, and closes the sending half if that
// is all of p.
func (s *Stream) writeLast(p []byte, all bool) (n int, err error) {
	if s.is(noWriting | writeExpired | writeCancelled) {
		return 0, s.writeError()
	}
	if all {
		n, err = s.link.Send.WriteLast(p)
	} else {
		n, err = s.link.Send.TryWriteLast(p)
	}
	s.link.Written()
	if err != nil {
		err = s.conn.Owner.PublicError(err)
	}
	return n, err
}

// Close is quic.SendStream's.
func (s *Stream) Close() error {
	if s.is(noWriting | writeCancelled) {
		return s.writeError()
	}
	err := s.link.Send.CloseWrite()
	s.link.Written()
	if err != nil {
		err = s.conn.Owner.PublicError(err)
	}
	return err
}

// Room is quic.SendStream's.
func (s *Stream) Room() int {
	if s.is(noWriting | writeExpired | writeCancelled) {
		return 0
	}
	return s.link.Send.Room()
}

// Unsent is quic.SendStream's.
func (s *Stream) Unsent() int {
	if s.is(noWriting | writeCancelled) {
		return 0
	}
	return s.link.Send.AwaitSent()
}

// writeError says why there is no writing.
func (s *Stream) writeError() error {
	switch {
	case s.is(noWriting):
		return fmt.Errorf("quic: stream %d only receives", s.link.ID)
	case s.is(writeCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.conn.Owner.PublicError(&engine.StreamError{StreamID: uint64(s.link.ID), Code: s.link.ResetCode()})
	}
	return os.ErrDeadlineExceeded
}

// NothingSent is quic.SendStream's.
func (s *Stream) NothingSent() bool { return s.link.Send.NothingSent() }

// MarkReliable is quic.SendStream's.
func (s *Stream) MarkReliable() { s.link.Send.MarkReliable() }

// CancelWrite is quic.SendStream's. The code is one (see CheckCode).
func (s *Stream) CancelWrite(code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is(noWriting | writeCancelled) {
		return
	}
	s.flags.Or(writeCancelled)
	s.link.Reset(code)
	s.writing.signal()
}

// SetPriority is quic.SendStream's.
func (s *Stream) SetPriority(urgency uint8, incremental bool) {
	if !s.is(noWriting) {
		s.link.Prioritize(engine.Urgency(min(urgency, 7)), incremental)
	}
}
