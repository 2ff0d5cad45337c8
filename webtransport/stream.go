package webtransport

import (
	"time"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// Stream is a bidirectional stream. One goroutine may read and another write at
// the same time; the other methods may be called from any goroutine.
type Stream struct {
	ReceiveStream
	SendStream
}

// half is what both halves of a stream know.
type half struct {
	hub     *hub
	machine *wt.Stream
}

// newStream makes the stream of a machine's, of which only one half is used if it has
// one direction.
func newStream(h *hub, machine *wt.Stream, qs *quic.Stream) *Stream {
	half := half{h, machine}
	st := &Stream{ReceiveStream{half: half, qs: &qs.ReceiveStream}, SendStream{half: half, qs: &qs.SendStream}}
	machine.App = st
	return st
}

// sendHalf and receiveHalf return the halves of a machine's stream.
func sendHalf(machine *wt.Stream) *SendStream {
	if st, ok := machine.App.(*Stream); ok {
		return &st.SendStream
	}
	return machine.App.(*SendStream)
}

func receiveHalf(machine *wt.Stream) *ReceiveStream { return &machine.App.(*Stream).ReceiveStream }

// owner returns the session of a stream that has one.
func (h *half) owner() *Session { return h.machine.Session().App.(*Session) }

// ID returns the ID of the QUIC stream.
func (s *Stream) ID() uint64 { return s.ReceiveStream.ID() }

// SetDeadline sets the deadlines of both halves. The error is always nil.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}
