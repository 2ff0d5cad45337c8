package port

import (
	"encoding/binary"

	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic/event"
)

// outgoing is the half of a stream that the host sends on.
type outgoing struct {
	window int    // bytes that may be written at first
	taken  int    // that were passed on, and of which the host does not know
	free   int    // that need no credit, and so give none back
	wait   []byte // what could not be passed on
	fin    bool   // the end follows wait
	over   bool   // nothing follows, or is wanted
	cut    bool   // a reset follows wait, with code
	code   uint64

	passed, committed uint64 // bytes that were passed on, and that arrive in spite of a reset

	trailers []qpack.Field // that come at the end; nil for none
}

// drop ends writing, and forgets what waits.
func (o *outgoing) drop() { o.over, o.wait, o.fin, o.cut, o.trailers = true, nil, false, false, nil }

// unpassed returns how many bytes must arrive and have not been passed on yet.
func (o *outgoing) unpassed() int {
	if o.committed <= o.passed {
		return 0
	}
	return int(o.committed - o.passed)
}

// keepCommitted has a reset wait for what must arrive, if that has not been passed on.
func (o *outgoing) keepCommitted(code uint64) bool {
	n := o.unpassed()
	if n > 0 {
		o.wait, o.fin, o.cut, o.code = o.wait[:n], false, true, code
	}
	return n > 0
}

// commit has what the host has written so far arrive in spite of a later reset
// (draft-ietf-quic-reliable-stream-reset), where the peer understands that.
func (s *stream) commit() {
	o := &s.out
	if o.over || o.cut {
		return
	}
	o.committed = o.passed + uint64(len(o.wait))
	if s.isOpen && o.unpassed() == 0 {
		s.carrier.commit()
	}
}

// write writes what the host has, or keeps it.
func (s *stream) write(t event.Turn, p []byte, fin bool) {
	o := &s.out
	switch {
	case o.over || o.fin || o.cut || o.trailers != nil:
		return
	case !s.isOpen || len(o.wait) > 0:
		o.wait, o.fin = append(o.wait, p...), fin
		return
	}
	n, ok := s.pass(t, p, fin)
	if ok && (n < len(p) || fin && !o.over) {
		o.wait, o.fin = append([]byte(nil), p[n:]...), fin
	}
}

// pass passes bytes on, as many as there is room for, and the end if that is all. It
// returns false when the half is over.
func (s *stream) pass(t event.Turn, p []byte, fin bool) (n int, ok bool) {
	n, err := s.carrier.write(t, p, fin)
	if err != nil {
		s.out.drop() // the peer does not want more, of which an event tells, or all has ended
		return n, false
	}
	s.out.passed += uint64(n)
	free := min(n, s.out.free)
	s.out.free -= free
	s.out.taken += n - free
	if fin && n == len(p) {
		s.out.drop()
	} else if s.out.taken >= min(s.out.window, defaultWindow)/2 { // hosts may take the window for the default
		s.giveCredit()
	}
	return n, true
}

// flush passes on what waits.
func (s *stream) flush(t event.Turn) {
	o := &s.out
	switch {
	case o.over:
		return
	case len(o.wait) == 0 && !o.fin:
		s.sendTrailers(t)
		return
	}
	if committed := o.unpassed(); committed > 0 {
		n, ok := s.pass(t, o.wait[:committed], false)
		if !ok || n < committed {
			o.wait = o.wait[min(n, len(o.wait)):]
			return
		}
		o.wait = o.wait[n:]
		s.carrier.commit()
	}
	if o.cut {
		s.resetNow(t, o.code)
		return
	}
	n, ok := s.pass(t, o.wait, o.fin)
	if !ok || o.over {
		return
	}
	if o.wait = o.wait[n:]; len(o.wait) == 0 {
		o.wait = nil
		s.giveCredit()
		s.sendTrailers(t)
	}
}

// endWith ends the message with trailers, after what waits.
func (s *stream) endWith(t event.Turn, trailers []qpack.Field) {
	o := &s.out
	if o.over || o.fin || o.trailers != nil {
		return
	}
	o.trailers = append(make([]qpack.Field, 0, 1), trailers...)
	if s.isOpen && len(o.wait) == 0 {
		s.sendTrailers(t)
	}
}

// sendTrailers sends them, if there are any, once nothing waits.
func (s *stream) sendTrailers(t event.Turn) {
	if s.out.trailers == nil {
		return
	}
	x := s.carrier.(*request)
	x.enter(t)
	x.answered = x.rs.SendTrailers(s.out.trailers) == nil
	s.out.drop()
}

// giveCredit lets the host write as much as was passed on.
func (s *stream) giveCredit() {
	if s.out.taken == 0 {
		return
	}
	payload := binary.LittleEndian.AppendUint64(make([]byte, 0, 8), uint64(s.out.taken))
	s.out.taken = 0
	s.conn.put(record{typ: uint8(EvCredit), id: s.id, payload: payload})
}
