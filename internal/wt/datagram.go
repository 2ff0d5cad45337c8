package wt

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/fifo"
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
)

// HandleDatagram takes the payload of an HTTP datagram for the session with an ID,
// which may not be there yet (Section 4.6). It does not keep p.
func (c *Conn) HandleDatagram(now monotime.Time, id uint64, p []byte) {
	switch s := c.sessions[id]; {
	case s != nil:
		s.heardAt(now)
		s.datagrams.push(s, p)
	case c.over == nil && !slices.Contains(c.gone, id):
		c.early.Push(id, p)
		if !c.count() {
			c.early.Drop()
			c.count()
		}
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
	list    fifo.Queue[[]byte]
	dropped uint64
	settled bool // the bytes do not count for the connection any more
}

// push adds a copy of a datagram.
func (q *datagramQueue) push(s *Session, p []byte) {
	c, before, waiting := s.conn, q.list.Size(), q.list.Len() > 0
	if s.err != nil || c.held+len(p) > maxConnDatagramBytes {
		q.dropped++
		return
	}
	q.list.Push(append(make([]byte, 0, len(p)), p...), len(p))
	q.dropped += uint64(q.list.Shrink(maxQueuedDatagrams, maxQueuedDatagramBytes))
	c.held += q.list.Size() - before
	for !c.count() && q.list.Len() > 0 {
		oldest, _ := q.list.Pop()
		c.held -= len(oldest)
		q.dropped++
	}
	if !waiting && q.list.Len() > 0 {
		c.emit(Event{Kind: EventDatagram, Session: s})
	}
}

// pop removes the oldest.
func (q *datagramQueue) pop(c *Conn) ([]byte, bool) {
	p, ok := q.list.Pop()
	if !q.settled {
		c.held -= len(p)
		c.count()
	}
	return p, ok
}

// settle takes what waits off the connection's account: the session has ended, and
// what was received may still be read.
func (q *datagramQueue) settle(c *Conn) {
	q.settled = true
	c.held -= q.list.Size()
	c.count()
}
