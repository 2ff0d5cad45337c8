package quic

import "errors"

// OnReset has f called once when the peer has cancelled what it sends on the
// stream (RESET_STREAM), also while nobody reads; at once, if it has done so
// already. f is called by any goroutine and must not block. Of two calls of
// OnReset the second counts.
func (s *Stream) OnReset(f func(*StreamError)) {
	s.mu.Lock()
	s.onReset = f
	s.mu.Unlock()
	s.flags.Or(flagOnReset)
	s.noticeReset()
}

// noticeReset calls OnReset's function if the time has come.
func (s *Stream) noticeReset() {
	err := s.link.Recv.Err()
	if err == nil {
		return
	}
	var reset *StreamError
	if err = s.conn.publicError(err); !errors.As(err, &reset) || !reset.Remote {
		return
	}
	s.mu.Lock()
	f := s.onReset
	s.onReset = nil
	s.mu.Unlock()
	if f != nil {
		f(reset)
	}
}
