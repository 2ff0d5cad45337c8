package wt

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Stream is what the machine knows of a stream of QUIC's that belongs to a session,
// or is about to.
//
//	the peer's   header ──▶ buffered ──▶ in a session, waiting ──▶ accepted
//	                 └──────────────────────▲
//	this end's   wanted ──MayOpen──▶ Opened ──▶ in a session
//
// Each half is over when the host says so or when the machine cancels it.
type Stream struct {
	// App is the host's own.
	App any

	conn    *Conn
	session *Session // nil until it is known
	id      uint64   // of the QUIC stream, once there is one
	kind    Kind
	header  header // of the peer's, what has arrived of it
	wait    *claim // for credit, to open the stream or to write; nil without

	opened             bool // there is a stream of QUIC's
	receiving, sending bool // halves that are not over
	reset              bool // the peer has cancelled what it sends
	waiting            bool // to be accepted
	written            bool // something beyond the header
	rejected           bool // for want of room before its session was there

	discarded uint64 // bytes of the peer's that count for the session once it is there

	prev, next *Stream // in the session's list
}

// ID returns the ID of the QUIC stream.
func (st *Stream) ID() uint64 { return st.id }

// Session returns the session that the stream belongs to, nil if that is not known.
func (st *Stream) Session() *Session { return st.session }

// Kind returns whether the stream has one direction or two.
func (st *Stream) Kind() Kind { return st.kind }

// refuse cancels the halves that are not over, for this end.
func (st *Stream) refuse(code h3.ErrorCode) {
	if st.sending {
		st.conn.emit(Event{Kind: EventReset, Session: st.session, Stream: st, Code: code})
	}
	if st.receiving {
		st.conn.emit(Event{Kind: EventStop, Session: st.session, Stream: st, Code: code})
	}
	st.sending, st.receiving = false, false
}

// SendOver takes note that nothing more is to be sent on the stream: it was finished
// or cancelled, by either end.
func (st *Stream) SendOver() {
	if st.sending {
		st.sending = false
		st.Forgo()
		st.forgetIfOver()
	}
}

// ReceiveOver takes note that nothing more is to be read from the stream: it was
// read to its end, or cancelled by either end.
func (st *Stream) ReceiveOver() {
	if st.receiving {
		st.receiving = false
		st.forgetIfOver()
	}
}

// forgetIfOver leaves the session when both halves are over, and allows the peer
// another stream for one of its own.
func (st *Stream) forgetIfOver() {
	s := st.session
	if st.sending || st.receiving || s == nil || s.err != nil {
		return
	}
	s.streams.remove(st)
	if s.flow != nil && s.isPeers(st.id) {
		s.flow.done(st.kind, 1)
		s.settle()
	}
}

// Consumed takes note that n bytes were read.
func (st *Stream) Consumed(now monotime.Time, n int) {
	st.session.heardAt(now)
	st.session.consumed(uint64(n))
}

// HandleDiscarded takes note that the peer sent n bytes that will never be read, as
// either end has cancelled the stream: they count for the session's limit all the
// same (Section 5.4), so that both ends agree; if there is no session yet, for the one
// to come. It is to be called once the stream's final size is known (RFC 9000,
// Section 4.5).
func (st *Stream) HandleDiscarded(n uint64) {
	switch {
	case st.session != nil:
		st.session.consumed(n)
	case st.rejected:
		st.conn.handleRejected(st.header.session(), data, n)
	default:
		st.discarded += n
	}
}

// consumed counts bytes of the peer's that were read, or never will be.
func (s *Session) consumed(n uint64) {
	if s.flow == nil || s.err != nil {
		return
	}
	if !s.flow.done(data, n) {
		s.fail(flowError("more data in the session than allowed"))
		return
	}
	s.settle()
}

// Allow returns how many of n bytes may be written now, and counts them; of those
// that are not written, Unused must be told. If it is none of some, EventMayWrite
// follows, unless Forgo does. The error is the session's.
func (st *Stream) Allow(n int) (int, error) {
	s := st.session
	switch {
	case s.err != nil:
		return 0, s.err
	case s.flow == nil:
		st.written = st.written || n > 0
		return n, nil
	}
	got := uint64(n)
	switch w := st.wait; {
	case w == nil:
		got, st.wait = s.flow.ours[data].take(got, st)
	case w.waits:
		got, w.want = 0, got
	default:
		got, st.wait = w.got, nil
		if unused := got - min(got, uint64(n)); unused > 0 {
			s.flow.giveBack(data, unused)
			got -= unused
		}
	}
	st.written = st.written || got > 0
	s.settle()
	return int(got), nil
}

// Forgo ends the wait for what Allow did not allow.
func (st *Stream) Forgo() {
	if w := st.wait; w != nil {
		st.wait = nil
		st.giveUp(w, data)
	}
}

// giveUp ends a claim, and gives back what it got.
func (st *Stream) giveUp(w *claim, k Kind) {
	if s := st.session; s.err == nil {
		s.flow.ours[k].giveUp(w)
		s.settle()
	}
}

// Unused takes back n bytes that Allow allowed and that were not written, or that
// were and will never be sent, as either end has cancelled the stream: they do not
// count for its final size, which the peer learns (RFC 9000, Section 4.5).
func (st *Stream) Unused(n uint64) {
	if s := st.session; s != nil && s.flow != nil && s.err == nil && n > 0 {
		s.flow.giveBack(data, n)
		s.settle()
	}
}

// granted tells of credit, or that there will be none.
func (st *Stream) granted() {
	kind := EventMayWrite
	if !st.opened {
		kind = EventMayOpen
	}
	st.conn.emit(Event{Kind: kind, Session: st.session, Stream: st})
}

// lateEnd is a stream whose end waits.
type lateEnd struct {
	stream *Stream
	at     monotime.Time
}

// Finish takes note that the application has finished what it sends. It reports
// whether the stream may be finished now; if not, EventClose follows. rtt is the
// connection's round-trip time.
func (st *Stream) Finish(now monotime.Time, rtt time.Duration) bool {
	s := st.session
	late := st.EndWaits() && s.conn.over == nil
	st.SendOver()
	if late {
		end := lateEnd{st, now.Add(max(lateEndDelay, 2*rtt))}
		i, _ := slices.BinarySearchFunc(s.conn.lateEnds, end, func(a, b lateEnd) int { return int(a.at.Sub(b.at)) })
		s.conn.lateEnds = slices.Insert(s.conn.lateEnds, i, end)
	}
	return !late
}

// EndWaits reports whether the stream's end would have to wait now: see lateEndDelay.
func (st *Stream) EndWaits() bool {
	s := st.session
	return s.draft == Draft02 && s.isServer() && st.kind == Uni && !st.written && st.sending
}

// AppendHeader appends what begins a stream of this end's (Sections 4.2 and 4.3). It
// must not be lost by a reset (Section 4.4).
func (st *Stream) AppendHeader(b []byte) []byte {
	begin := uint64(SignalBidi)
	if st.kind == Uni {
		begin = uint64(TypeUni)
	}
	return wire.AppendVarint(wire.AppendVarint(b, begin), st.session.id)
}

// streamList is a list of streams in the order in which they came.
type streamList struct {
	first, last *Stream
	n           int
}

func (l *streamList) push(st *Stream) {
	if st.prev = l.last; st.prev != nil {
		st.prev.next = st
	} else {
		l.first = st
	}
	l.last = st
	l.n++
}

func (l *streamList) remove(st *Stream) {
	if st.prev != nil {
		st.prev.next = st.next
	} else {
		l.first = st.next
	}
	if st.next != nil {
		st.next.prev = st.prev
	} else {
		l.last = st.prev
	}
	st.prev, st.next = nil, nil
	l.n--
}
