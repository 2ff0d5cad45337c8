package quic

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Read reads up to len(p) bytes and waits until there is one. The error is
// io.EOF at the stream's end, a *StreamError if CancelRead was called or the peer
// cancelled the stream, after the bytes that had arrived in order before that,
// os.ErrDeadlineExceeded, or the connection's.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.TryRead(p)
	if n > 0 || err != nil || len(p) == 0 {
		return n, err
	}
	wake := s.waiting(&s.reading)
	for {
		n, err := s.TryRead(p)
		if n > 0 || err != nil {
			return n, err
		}
		<-wake
	}
}

// TryRead is Read that does not wait: it returns 0 and nil when nothing is
// there.
func (s *Stream) TryRead(p []byte) (int, error) {
	if s.is(flagNoReading | flagReadExpired | flagReadCancelled) {
		return 0, s.readError()
	}
	recv := s.link.Recv
	n, err := recv.Read(p)
	if (n > 0 || err == io.EOF) && recv.Consumed() {
		s.link.Consumed()
	}
	if err != nil && err != io.EOF {
		err = s.conn.publicError(err)
	}
	return n, err
}

// readError says why there is no reading.
func (s *Stream) readError() error {
	switch {
	case s.is(flagNoReading):
		return fmt.Errorf("quic: stream %d only sends", s.ID())
	case s.is(flagReadCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return &StreamError{StreamID: s.ID(), Code: s.link.StopCode()}
	}
	return os.ErrDeadlineExceeded
}

// CancelRead tells the peer, with an application's code, that nothing more will
// be read (STOP_SENDING), and makes Read fail. What arrived and was not read is
// dropped. Calls after the first do nothing. A code of 1<<62 or more makes it
// panic.
func (s *Stream) CancelRead(code uint64) {
	checkCode(code)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is(flagNoReading | flagReadCancelled) {
		return
	}
	s.flags.Or(flagReadCancelled)
	s.link.Stop(code)
	s.reading.signal()
}

// isReset reports whether err is that of a stream cancelled by either side.
func isReset(err error) bool {
	var reset *engine.StreamError
	return errors.As(err, &reset)
}
