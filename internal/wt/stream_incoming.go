package wt

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// header is the session ID of a stream, as it arrives.
type header struct {
	b [8]byte
	n uint8 // bytes in b
}

// missing returns how many bytes are, or 1 when it is not known yet.
func (h *header) missing() int {
	if h.n == 0 {
		return 1
	}
	return 1<<(h.b[0]>>6) - int(h.n)
}

// session returns the ID, once all of it is there.
func (h *header) session() uint64 {
	id, _ := wire.ConsumeVarint(h.b[:h.n])
	return id
}

// HandleStream takes note of a stream of the peer's that began with TypeUni or
// SignalBidi.
func (c *Conn) HandleStream(id uint64) *Stream {
	return &Stream{conn: c, id: id, kind: KindOf(id), opened: true, receiving: true, sending: KindOf(id) == Bidi}
}

// Missing returns how many further bytes of the stream belong to its header, at least:
// no more may be given to HandleHeader at once. 0 says that the header is complete,
// or that the stream was refused.
func (st *Stream) Missing() int {
	if st.session != nil || !st.receiving {
		return 0
	}
	return st.header.missing()
}

// HandleHeader takes bytes of a stream's header, Missing at most.
func (c *Conn) HandleHeader(now monotime.Time, st *Stream, p []byte) {
	st.header.n += uint8(copy(st.header.b[st.header.n:], p))
	if st.Missing() > 0 || !st.receiving {
		return
	}
	id := st.header.session()
	if id%4 != 0 { // Section 4
		c.fail(&h3.ConnError{Code: h3.IDError, Reason: "session ID that is no request's"})
		return
	}
	c.route(now, id, st)
}

// HandleHeaderEnd takes note that a stream ended, or was reset, before its header was
// complete: it belongs to no session.
func (c *Conn) HandleHeaderEnd(st *Stream) { st.refuse(CodeBufferedStreamRejected) }

// route gives a stream to its session.
func (c *Conn) route(now monotime.Time, id uint64, st *Stream) {
	switch s := c.sessions[id]; {
	case s != nil:
		s.addStream(now, st)
	case slices.Contains(c.gone, id):
		st.refuse(CodeSessionGone)
	default:
		c.buffer(now, id, st)
	}
}

// bufferedStream waits for its session.
type bufferedStream struct {
	id     uint64 // of the session
	stream *Stream
	since  monotime.Time
}

// buffer keeps a stream until its session is there, or refuses it (Section 4.6).
func (c *Conn) buffer(now monotime.Time, id uint64, st *Stream) {
	if c.over != nil || len(c.buffered) >= maxBufferedStreams && !c.makeRoom(now) {
		c.reject(id, st)
		return
	}
	c.buffered = append(c.buffered, bufferedStream{id: id, stream: st, since: now})
}

// makeRoom refuses a buffered stream that was reset or has waited too long. While
// there is room, those that were reset wait as well: their session should learn of
// their codes.
func (c *Conn) makeRoom(now monotime.Time) bool {
	i := slices.IndexFunc(c.buffered, func(b bufferedStream) bool {
		return b.stream.reset || now.Sub(b.since) >= maxBuffered
	})
	if i < 0 {
		return false
	}
	c.reject(c.buffered[i].id, c.buffered[i].stream)
	c.buffered = slices.Delete(c.buffered, i, i+1)
	return true
}

// takeBuffered returns the streams that wait for a session.
func (c *Conn) takeBuffered(id uint64) (streams []*Stream) {
	c.buffered = slices.DeleteFunc(c.buffered, func(b bufferedStream) bool {
		if b.id == id {
			streams = append(streams, b.stream)
		}
		return b.id == id
	})
	return streams
}

// addStream takes a stream of the peer's.
func (s *Session) addStream(now monotime.Time, st *Stream) {
	s.heardAt(now)
	st.session = s
	s.consumed(st.discarded)
	if s.err != nil {
		st.refuse(CodeSessionGone)
		return
	}
	if s.flow != nil && !s.flow.accept(st.kind) {
		st.refuse(CodeFlowControl)
		s.fail(flowError("more streams in the session than allowed")) // Section 5.6.2
		return
	}
	s.streams.push(st)
	if s.waiting[st.kind].Len() >= MaxQueuedStreams {
		st.refuse(CodeBufferedStreamRejected)
		st.forgetIfOver()
		return
	}
	st.waiting = true
	s.waiting[st.kind].Push(st, 0)
	s.conn.emit(Event{Kind: EventIncoming, Session: s, Stream: st})
	if st.reset {
		st.HandleReset()
	}
}

// HandleReset takes note that the peer has cancelled what it sends on the stream and
// that nothing is left to be read of it, whether the stream was accepted or not. The
// host is to say when its receiving half is over.
//
// A unidirectional stream that was reset is forgotten when many wait: as it does not
// count for QUIC any more, a peer could open any number of them. Others are worth
// being accepted, and are bounded.
func (st *Stream) HandleReset() {
	st.reset = true
	if !st.waiting || st.kind != Uni || st.session.waiting[Uni].Len() <= MaxQueuedResets {
		return
	}
	st.session.waiting[Uni].Take(func(w *Stream) bool { return w == st })
	st.waiting = false
	st.refuse(CodeBufferedStreamRejected)
	st.forgetIfOver()
}

// Accept returns the next stream of the peer's, nil if none waits. Those that wait
// when the session ends can be accepted after it.
func (s *Session) Accept(k Kind) *Stream {
	st, ok := s.waiting[k].Pop()
	if !ok {
		return nil
	}
	st.waiting = false
	return st
}
