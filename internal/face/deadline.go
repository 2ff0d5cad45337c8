package face

import (
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// SetReadDeadline is quic.ReceiveStream's.
func (s *Stream) SetReadDeadline(t time.Time) { s.setDeadline(t, true) }

// SetWriteDeadline is quic.SendStream's.
func (s *Stream) SetWriteDeadline(t time.Time) { s.setDeadline(t, false) }

// deadline is one of a stream's, an entry in the connection's table. The entry may be
// earlier than the deadline: moving this to a later time, or taking it away, costs
// nothing, as is usual before each call of Read. What is not said otherwise is guarded
// by the stream's lock.
type deadline struct {
	stream  *Stream
	half    *half
	expired uint32        // the flag to set
	at      monotime.Time // zero for never
	entry   monotime.Time // when the loop looks, zero for never
	timer   loop.Timer    // of the loop's goroutine
}

// deadlines are both of a stream's.
type deadlines struct{ read, write deadline }

// setDeadline sets the deadline for reading or writing. Any goroutine may call it.
func (s *Stream) setDeadline(t time.Time, reading bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rarely()
	if r.deadlines == nil {
		if t.IsZero() {
			return
		}
		r.deadlines = &deadlines{
			read:  deadline{stream: s, half: &s.reading, expired: readExpired},
			write: deadline{stream: s, half: &s.writing, expired: writeExpired},
		}
	}
	d := &r.deadlines.write
	if reading {
		d = &r.deadlines.read
	}
	s.flags.And(^d.expired)
	d.at = 0
	switch {
	case t.IsZero():
	case time.Until(t) <= 0:
		d.expire()
	default:
		d.at = s.conn.Link.Loop().Moment(t)
		if d.entry == 0 || d.at < d.entry {
			d.entry = d.at
			s.conn.Link.Do(d.arm)
		}
	}
}

// expire makes calls fail, those under way too. The lock is held.
func (d *deadline) expire() {
	d.stream.flags.Or(d.expired)
	d.half.signal()
}

// known reports whether the stream's memory still has d. On the loop's goroutine, with
// the lock.
func (d *deadline) known() bool {
	r := d.stream.rare
	return r != nil && r.deadlines != nil && (d == &r.deadlines.read || d == &r.deadlines.write)
}

// arm puts d into the connection's table. On the loop's goroutine.
func (d *deadline) arm() {
	s := d.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.known() {
		s.conn.Link.SetTimer(&d.timer, d.entry, d)
	}
}

// Fire implements loop.Timed: the deadline has passed, or was moved.
func (d *deadline) Fire() {
	s := d.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	switch d.entry = d.at; {
	case d.at == 0:
	case d.at.After(s.conn.Link.Now()):
		s.conn.Link.SetTimer(&d.timer, d.entry, d)
	default:
		d.at, d.entry = 0, 0
		d.expire()
	}
}

// forget takes the deadlines out of the connection's table. On the loop's goroutine.
func (d *deadlines) forget(link *loop.Conn) {
	if d != nil {
		link.SetTimer(&d.read.timer, 0, nil)
		link.SetTimer(&d.write.timer, 0, nil)
	}
}
