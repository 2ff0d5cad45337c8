package quic

import "time"

// SetDeadline sets both deadlines: see SetReadDeadline and SetWriteDeadline.
// The error is always nil.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which Read and TryRead, also one that
// waits already, fail with os.ErrDeadlineExceeded; zero means never. A later
// deadline makes reading possible again. The error is always nil.
func (s *ReceiveStream) SetReadDeadline(t time.Time) error {
	if in := s.ref.enter(); in != nil {
		defer in.leave()
		in.mu.Lock()
		defer in.mu.Unlock()
		in.setDeadline(&in.reading, &in.rarely().readTimer, flagReadExpired, t)
	}
	return nil
}

// SetWriteDeadline sets the time after which Write and WriteLast fail, as SetReadDeadline does for reading. What was taken before is sent
// nevertheless. The error is always nil.
func (s *SendStream) SetWriteDeadline(t time.Time) error {
	if in := s.ref.enter(); in != nil {
		defer in.leave()
		in.mu.Lock()
		defer in.mu.Unlock()
		in.setDeadline(&in.writing, &in.rarely().writeTimer, flagWriteExpired, t)
	}
	return nil
}

// setDeadline makes expired be set on h at t. The lock is held.
func (s *stream) setDeadline(h *half, current **time.Timer, expired uint32, t time.Time) {
	if *current != nil {
		(*current).Stop()
		*current = nil
	}
	s.flags.And(^expired)
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		s.flags.Or(expired)
		h.signal()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if *current == timer { // else it was too late to stop it
			s.flags.Or(expired)
			h.signal()
		}
	})
	*current = timer
}
