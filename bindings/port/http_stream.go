package port

import (
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/quic/event"
)

// h3Stream is a stream of package h3's machine's that may be a request's.
type h3Stream struct {
	h3event.Stream
	request *request // nil for what is none
}

// newH3Stream returns a stream of a connection; ref may follow.
func (h *httpConn) newH3Stream(ref event.Stream, x *request) *h3Stream {
	return &h3Stream{h3event.Stream{Turn: &h.turn, Ref: ref}, x}
}

// HandleEnd implements event.StreamHandler.
func (s *h3Stream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	*s.Turn = t
	s.Stream.HandleEnd(t, ref, end)
	switch end.Kind {
	case event.PeerReset:
		if s.request != nil {
			s.request.peerReset(end.Err)
		}
	case event.SendingCut:
		if s.request != nil && end.Err.Remote {
			s.request.peerStopped(end.Err)
		}
	case event.StreamEnded:
		if s.request != nil {
			s.request.over()
			if s.request.stream != nil && !s.request.stream.ended {
				return // the machine may read on
			}
		}
		t.Release(ref)
	}
}
