package face

import (
	"fmt"
	"io"
	"os"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Read is quic.ReceiveStream's.
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

// TryRead is Read that does not wait.
func (s *Stream) TryRead(p []byte) (int, error) {
	if s.is(noReading | readExpired | readCancelled) {
		return 0, s.readError()
	}
	recv := s.link.Recv
	n, err := recv.Read(p)
	if (n > 0 || err == io.EOF) && recv.Consumed() {
		s.link.Consumed()
	}
	if err != nil && err != io.EOF {
		err = s.conn.Owner.PublicError(err)
	}
	return n, err
}

// readError says why there is no reading.
func (s *Stream) readError() error {
	switch {
	case s.is(noReading):
		return fmt.Errorf("quic: stream %d only sends", s.link.ID)
	case s.is(readCancelled):
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.conn.Owner.PublicError(&engine.StreamError{StreamID: uint64(s.link.ID), Code: s.link.StopCode()})
	}
	return os.ErrDeadlineExceeded
}

// CancelRead is quic.ReceiveStream's. The code is one (see CheckCode).
func (s *Stream) CancelRead(code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is(noReading | readCancelled) {
		return
	}
	s.flags.Or(readCancelled)
	s.link.Stop(code)
	s.reading.signal()
}
