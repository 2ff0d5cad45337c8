package wt

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/monotime"
)

const (
	// maxQueuedDatagrams and maxQueuedDatagramBytes bound what waits in one
	// session to be received: some hundred packets, which arrive in a burst and
	// which a reader that runs soon gets all of.
	maxQueuedDatagrams     = 512
	maxQueuedDatagramBytes = 512 << 10

	// maxConnDatagramBytes bounds what waits in all sessions of a connection.
	maxConnDatagramBytes = 4 << 20

	// maxEarlyDatagrams and maxEarlyDatagramBytes bound what is kept for sessions
	// that are not there yet (Section 4.6), which may have been overtaken.
	maxEarlyDatagrams     = 64
	maxEarlyDatagramBytes = 64 << 10
)

// HandleDatagram takes the payload of an HTTP datagram for the session with an ID,
// which may not be there yet.
func (c *Conn) HandleDatagram(now monotime.Time, id uint64, p []byte) {
	switch s := c.sessions[id]; {
	case s != nil:
		s.heardAt(now)
		s.datagrams.push(s, p)
	case c.over == nil && !slices.Contains(c.gone, id):
		c.early.push(id, p)
	}
}

// ReceiveDatagram returns the next datagram, which is the caller's; false if none
// waits. Those that wait when the session ends can be received after it.
func (s *Session) ReceiveDatagram() ([]byte, bool) { return s.datagrams.pop(s.conn) }

// DatagramsDropped returns how many datagrams were dropped because nobody received
// them in time.
func (s *Session) DatagramsDropped() uint64 { return s.datagrams.dropped }

// TakesDatagram reports whether a datagram of n bytes is to be sent: a server does
// not send empty ones to clients of draft 2, as Chromium's reader never gets over one.
// It does not change while the session lives.
func (s *Session) TakesDatagram(n int) bool {
	return n > 0 || s.draft != Draft02 || !s.isServer()
}

// datagramQueue holds the datagrams of a session until somebody receives them.
// When it is full, the oldest is dropped: what is sent unreliably ages fast.
type datagramQueue struct {
	list    queue[[]byte]
	bytes   int
	dropped uint64
	settled bool // the bytes do not count for the connection any more
}

// push adds a copy of a datagram.
func (q *datagramQueue) push(s *Session, p []byte) {
	c := s.conn
	if s.err != nil {
		q.dropped++
		return
	}
	for q.list.len() > 0 && (q.list.len() >= maxQueuedDatagrams || q.bytes+len(p) > maxQueuedDatagramBytes) {
		q.pop(c)
		q.dropped++
	}
	if c.held+len(p) > maxConnDatagramBytes {
		q.dropped++
		return
	}
	c.held += len(p)
	q.bytes += len(p)
	q.list.push(append(make([]byte, 0, len(p)), p...))
	if q.list.len() == 1 {
		c.emit(Event{Kind: EventDatagram, Session: s})
	}
}

// pop removes the oldest.
func (q *datagramQueue) pop(c *Conn) ([]byte, bool) {
	p, ok := q.list.pop()
	q.bytes -= len(p)
	if !q.settled {
		c.held -= len(p)
	}
	return p, ok
}

// settle takes what waits off the connection's account: the session has ended, and
// what was received may still be read.
func (q *datagramQueue) settle(c *Conn) {
	q.settled = true
	c.held -= q.bytes
}

// earlyDatagram is a datagram of a session that is not there.
type earlyDatagram struct {
	id      uint64
	payload []byte
}

// earlyDatagrams keeps few of them, the latest.
type earlyDatagrams struct {
	list  []earlyDatagram
	bytes int
}

func (e *earlyDatagrams) push(id uint64, p []byte) {
	if len(p) > maxEarlyDatagramBytes {
		return
	}
	for len(e.list) > 0 && (len(e.list) >= maxEarlyDatagrams || e.bytes+len(p) > maxEarlyDatagramBytes) {
		e.bytes -= len(e.list[0].payload)
		e.list = append(e.list[:0], e.list[1:]...)
	}
	e.list = append(e.list, earlyDatagram{id, append([]byte(nil), p...)})
	e.bytes += len(p)
}

// moveTo hands those of a session over.
func (e *earlyDatagrams) moveTo(s *Session) {
	e.take(s.id, func(p []byte) { s.datagrams.push(s, p) })
}

// drop forgets those of a session that will never be.
func (e *earlyDatagrams) drop(id uint64) { e.take(id, func([]byte) {}) }

func (e *earlyDatagrams) take(id uint64, f func(p []byte)) {
	e.list = slices.DeleteFunc(e.list, func(d earlyDatagram) bool {
		if d.id == id {
			e.bytes -= len(d.payload)
			f(d.payload)
		}
		return d.id == id
	})
	if len(e.list) == 0 {
		e.list = nil
	}
}
