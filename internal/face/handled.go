package face

import "github.com/godwit-quic/godwit/internal/engine"

// Handler returns who is told of the stream, nil for nobody. On the loop's goroutine, as
// the others.
func (s *Stream) Handler() any { return s.handler }

// SetHandler makes h, or nobody, the one who is told of a new stream, unless whoever was
// told of that first has released it.
func (s *Stream) SetHandler(h any) {
	if !s.is(released) {
		s.handler = h
	}
}

// Handle makes h, or nobody, the one who is told of the stream. Of what has ended before,
// h is told at once.
func (s *Stream) Handle(t *Turn, h any) {
	s.handler, s.told = h, 0
	s.noticeReceivingEnd(t)
	s.noticeSendingEnd(t)
}

// noticeReceivingEnd tells the handler how receiving has ended, if it has before the
// stream's end and the handler does not know.
func (s *Stream) noticeReceivingEnd(t *Turn) {
	if s.handler == nil {
		return
	}
	err, ok := s.link.Recv.Err().(*engine.StreamError)
	if !ok {
		return
	}
	if err.Remote && s.tell(PeerReset) {
		Events.HandleEnd(s.handler, t, s.Ref(), End{Kind: PeerReset, Err: err})
	}
	if s.handler == nil {
		return
	}
	if n, known := s.link.Recv.Discarded(); known && s.tell(ReceivingCut) {
		Events.HandleEnd(s.handler, t, s.Ref(), End{Kind: ReceivingCut, Err: err, Lost: n})
	}
}

// noticeSendingEnd tells the handler that sending was cancelled, if it does not know.
func (s *Stream) noticeSendingEnd(t *Turn) {
	if s.handler == nil {
		return
	}
	err, ok := s.link.Send.Err().(*engine.StreamError)
	if !ok {
		return
	}
	if n, known := s.link.Send.Unsent(); known && s.tell(SendingCut) {
		Events.HandleEnd(s.handler, t, s.Ref(), End{Kind: SendingCut, Err: err, Lost: n})
	}
}

// tell notes that the handler is told of an end, and reports whether that is new.
func (s *Stream) tell(kind EndKind) bool {
	before := s.told
	s.told |= 1 << kind
	return s.told != before
}
