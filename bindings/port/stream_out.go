package port

import (
	"encoding/binary"

	"github.com/godwit-quic/godwit/quic"
)

// outgoing is the half of a stream that the host sends on.
type outgoing struct {
	window int    // bytes that may be written at first
	taken  int    // that were passed on, and of which the host does not know
	wait   []byte // what could not be passed on
	fin    bool   // the end follows wait
	over   bool   // nothing follows, or is wanted
}

// drop ends writing, and forgets what waits.
func (o *outgoing) drop() { o.over, o.wait, o.fin = true, nil, false }

// write writes what the host has, or keeps it.
func (s *stream) write(t *quic.Turn, p []byte, fin bool) {
	o := &s.out
	switch {
	case o.over || o.fin:
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
func (s *stream) pass(t *quic.Turn, p []byte, fin bool) (n int, ok bool) {
	n, err := s.carrier.write(t, p, fin)
	if err != nil {
		s.out.drop() // the peer does not want more, of which an event tells, or all has ended
		return n, false
	}
	s.out.taken += n
	if fin && n == len(p) {
		s.out.drop()
	} else if s.out.taken >= s.out.window/2 {
		s.giveCredit()
	}
	return n, true
}

// flush passes on what waits.
func (s *stream) flush(t *quic.Turn) {
	o := &s.out
	if o.over || len(o.wait) == 0 && !o.fin {
		return
	}
	n, ok := s.pass(t, o.wait, o.fin)
	if !ok || o.over {
		return
	}
	if o.wait = o.wait[n:]; len(o.wait) == 0 {
		o.wait = nil
		s.giveCredit()
	}
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
