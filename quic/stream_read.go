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
func (s *ReceiveStream) Read(p []byte) (int, error) {
	in := s.ref.enter()
	if in == nil {
		return 0, errReleased
	}
	defer in.leave()
	n, err := in.tryRead(p)
	if n > 0 || err != nil || len(p) == 0 {
		return n, err
	}
	wake := in.waiting(&in.reading)
	for {
		n, err := in.tryRead(p)
		if n > 0 || err != nil {
			return n, err
		}
		<-wake
	}
}

// TryRead is Read that does not wait: it returns 0 and nil when nothing is
// there.
func (s *ReceiveStream) TryRead(p []byte) (int, error) {
	in := s.ref.enter()
	if in == nil {
		return 0, errReleased
	}
	defer in.leave()
	return in.tryRead(p)
}

// CancelRead tells the peer, with an application's code, that nothing more will
// be read (STOP_SENDING), and makes Read fail. What arrived and was not read is
// dropped. Calls after the first do nothing. A code of 1<<62 or more makes it
// panic.
func (s *ReceiveStream) CancelRead(code uint64) { s.ref.CancelRead(code) }

func (s *stream) tryRead(p []byte) (int, error) {
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
func (s *stream) readError() error {
	switch {
	case s.is(flagNoReading):
		return fmt.Errorf("quic: stream %d only sends", s.link.ID)
	case s.is(flagReadCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return &StreamError{StreamID: uint64(s.link.ID), Code: s.link.StopCode()}
	}
	return os.ErrDeadlineExceeded
}

func (s *stream) cancelRead(code uint64) {
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
