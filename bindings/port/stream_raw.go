package port

import (
	"errors"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// rawStream carries the bytes of a stream of QUIC's.
type rawStream struct{ ref event.Stream }

func (r *rawStream) read(t event.Turn, p []byte) (int, error) { return t.Read(r.ref, p) }

// smallLast is how many bytes are written with the end whatever the room: a stream has a
// block for them.
const smallLast = 4 << 10

func (r *rawStream) write(t event.Turn, p []byte, fin bool) (int, error) {
	if fin && (len(p) <= smallLast || r.ref.Room() >= len(p)) {
		return t.WriteLast(r.ref, p)
	}
	return t.Write(r.ref, p)
}

func (r *rawStream) reset(_ event.Turn, code uint64) { r.ref.CancelWrite(code) }

func (r *rawStream) stop(_ event.Turn, code uint64) { r.ref.CancelRead(code) }

func (r *rawStream) prioritize(urgency uint8, incremental bool) {
	r.ref.SetPriority(urgency, incremental)
}

func (r *rawStream) commit() { r.ref.MarkReliable() }

func (r *rawStream) open(t event.Turn, s *stream) (err error) {
	r.ref, err = t.Open(s.uni, (*rawHandler)(s))
	return err
}

func (r *rawStream) streamID() uint64 { return r.ref.ID() }

// failed describes a reset. The connection's end is told in its own event.
func (r *rawStream) failed(err error) *failure {
	var cancelled *quic.StreamError
	if errors.As(err, &cancelled) {
		return describe(err)
	}
	return nil
}

// rawHandler is a stream as package quic tells of it.
type rawHandler stream

// HandleReadable implements event.StreamHandler.
func (h *rawHandler) HandleReadable(t event.Turn, _ event.Stream) { (*stream)(h).deliver(t) }

// HandleWritable implements event.StreamHandler.
func (h *rawHandler) HandleWritable(t event.Turn, _ event.Stream) { (*stream)(h).flush(t) }

// HandleEnd implements event.StreamHandler.
func (h *rawHandler) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	s := (*stream)(h)
	switch end.Kind {
	case event.PeerReset:
		s.peerFailed(describe(end.Err))
		ref.CancelRead(end.Err.Code) // what came before is not wanted
	case event.SendingCut:
		if end.Err.Remote {
			s.peerStopped(describe(end.Err))
		}
	case event.StreamEnded:
		s.end(&none)
		t.Release(ref)
	}
}

// peerStopped tells that the peer wants nothing more of what is sent.
func (s *stream) peerStopped(why *failure) {
	s.out.drop()
	if !s.ended {
		s.conn.put(why.record(EvStopped, s.id))
	}
}
