package webtransport

import (
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

// streamEnds is told how a stream ends that belongs to a session, or is about to: what
// the peer has sent and nobody will read, and what this end has written and the peer
// will not get, so that both ends agree on how much of the session's limit is used
// (Section 5.4 of draft 15).
type streamEnds struct {
	hub     *hub
	machine *wt.Stream
}

// HandleEnd implements event.StreamHandler.
func (e *streamEnds) HandleEnd(t event.Turn, _ event.Stream, end event.End) {
	switch end.Kind {
	case event.SendingCut:
		e.hub.handle(t, func(*wt.Conn) { e.machine.Unused(end.Lost) })
	case event.ReceivingCut:
		e.hub.handle(t, func(*wt.Conn) {
			e.machine.HandleDiscarded(end.Lost)
			e.machine.HandleReset()
		})
	}
}

// HandleReadable and HandleWritable do nothing: callers read and write.
func (e *streamEnds) HandleReadable(event.Turn, event.Stream) {}

// HandleWritable is described there.
func (e *streamEnds) HandleWritable(event.Turn, event.Stream) {}

// incoming is a stream of the peer's whose header is not complete.
type incoming struct {
	streamEnds
	ref event.Stream
}

// HandleStream implements h3ext.Conn: a stream begins with the session it
// belongs to.
func (h *hub) HandleStream(t event.Turn, ref event.Stream) {
	in := &incoming{streamEnds{h, h.machine.HandleStream(ref.ID())}, ref}
	in.machine.App = in
	t.Handle(ref, in)
	in.HandleReadable(t, ref)
}

// HandleReadable reads the stream's header. What comes after it is for callers.
func (in *incoming) HandleReadable(t event.Turn, ref event.Stream) {
	var buf [8]byte
	for missing := in.missing(); missing > 0; missing = in.missing() {
		n, err := t.Read(ref, buf[:missing])
		switch {
		case n > 0:
			in.hub.handle(t, func(m *wt.Conn) {
				if m.HandleHeader(turnNow(t), in.machine, buf[:n]); in.machine.Missing() == 0 {
					newStream(in.hub, in.machine, ref.Detach()) // before it can be accepted
				}
			})
		case err != nil:
			in.hub.handle(t, func(m *wt.Conn) { m.HandleHeaderEnd(in.machine) })
		default:
			return
		}
	}
	t.Handle(ref, &in.streamEnds) // which is told of what has ended before
}

// missing returns how many bytes of the header are, at least.
func (in *incoming) missing() int {
	in.hub.mu.Lock()
	defer in.hub.mu.Unlock()
	return in.machine.Missing()
}
