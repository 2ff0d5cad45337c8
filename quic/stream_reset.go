package quic

import "errors"

// hooks are what somebody wants to know of a stream who may neither be reading nor
// writing. They are guarded by the stream's lock, and called once.
type hooks struct {
	reset   func(*StreamError)
	discard func(n uint64)
	unsent  func(n uint64)
}

// hook sets some of the stream's hooks.
func (s *Stream) hook(set func(*hooks)) {
	s.mu.Lock()
	set(&s.rarely().hooks)
	s.mu.Unlock()
	s.flags.Or(flagHooks)
}

// PeerResetStreamAt reports whether the peer understands RESET_STREAM_AT
// (draft-ietf-quic-reliable-stream-reset): see Stream.MarkReliable. It must be called
// on the loop's goroutine, as TryOpenStream must.
func (c *Conn) PeerResetStreamAt() bool { return c.link.PeerResetStreamAt() }

// OnReset has f called once when the peer has cancelled what it sends on the
// stream (RESET_STREAM), also while nobody reads; at once, if it has done so
// already. f is called by any goroutine and must not block. Of two calls of
// OnReset the second counts.
func (s *Stream) OnReset(f func(*StreamError)) {
	s.hook(func(h *hooks) { h.reset = f })
	s.noticeReset()
}

// PeerReset returns with what the peer has cancelled what it sends on the stream
// (RESET_STREAM), though bytes that came before are left to be read; nil if it has
// not. Any goroutine may call it.
func (s *Stream) PeerReset() *StreamError {
	err := s.link.Recv.Err()
	if err == nil {
		return nil
	}
	var reset *StreamError
	if err = s.conn.publicError(err); !errors.As(err, &reset) || !reset.Remote {
		return nil
	}
	return reset
}

// noticeReset calls OnReset's function if the time has come.
func (s *Stream) noticeReset() {
	reset := s.PeerReset()
	if reset == nil {
		return
	}
	s.mu.Lock()
	var f func(*StreamError)
	if s.rare != nil {
		f, s.rare.hooks.reset = s.rare.hooks.reset, nil
	}
	s.mu.Unlock()
	if f != nil {
		f(reset)
	}
}

// OnDiscarded has f called once with how many bytes the peer has sent on the stream
// that will never be read, as either side has cancelled it: what a protocol above
// needs to count what was sent. That is known when reading has ended and the
// stream's final size has arrived (RFC 9000, Section 4.5), with the peer's end or
// reset of the stream, also after CancelRead; at once, if it is already. f is
// called by any goroutine and must not block. Of two calls of OnDiscarded the
// second counts.
func (s *Stream) OnDiscarded(f func(n uint64)) {
	s.hook(func(h *hooks) { h.discard = f })
	s.noticeDiscard()
}

// noticeDiscard calls OnDiscarded's function if the time has come.
func (s *Stream) noticeDiscard() {
	if n, known := s.link.Recv.Discarded(); known {
		s.count(n, func(h *hooks) *func(uint64) { return &h.discard })
	}
}

// OnUnsent has f called once when either side has cancelled the sending half, with
// how many of the bytes written will never be sent: they do not count for the
// stream's final size, which the peer learns (RFC 9000, Section 4.5). f is called
// at once if that has happened already, by any goroutine, and must not block. Of
// two calls of OnUnsent the second counts.
func (s *Stream) OnUnsent(f func(n uint64)) {
	s.hook(func(h *hooks) { h.unsent = f })
	s.noticeUnsent()
}

// noticeUnsent calls OnUnsent's function if the time has come.
func (s *Stream) noticeUnsent() {
	if n, known := s.link.Send.Unsent(); known {
		s.count(n, func(h *hooks) *func(uint64) { return &h.unsent })
	}
}

// count calls a hook with a number of bytes, unless it was called.
func (s *Stream) count(n uint64, hook func(*hooks) *func(uint64)) {
	var f func(uint64)
	s.mu.Lock()
	if s.rare != nil {
		p := hook(&s.rare.hooks)
		f, *p = *p, nil
	}
	s.mu.Unlock()
	if f != nil {
		f(n)
	}
}
