package loop

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/engine"
)

const (
	// MaxWaitingBytes is the memory for datagrams that wait in one loop, some of what a
	// socket's buffer holds. A flow has no more than half of what the others leave.
	MaxWaitingBytes = 2 << 20
	// usualDatagram is the least memory that one takes: a packet on most paths.
	usualDatagram = 1500
	// maxFlows is how many flows are known at a time.
	maxFlows = 4096
)

// flowKey says whose a datagram is: a connection's, or, without one, a source's.
type flowKey struct {
	conn   *engine.Conn
	source admission.Source
}

// flow is what has come of one sender.
type flow struct {
	turn        uint64 // of the loop, for which taken counts
	taken       int    // datagrams handled as they came
	calm        bool   // nothing came in the turns before
	bytes       int    // memory of those that wait
	first, last *waiting
	next        *flow // in flows
}

// waiting is a datagram that waits.
type waiting struct {
	datagram engine.Datagram // its Data lies in buf
	buf      []byte
	next     *waiting
}

// flows is the flows of a loop, and a list of those of which something waits, the first
// to be served first.
type flows struct {
	byKey      map[flowKey]*flow
	key        flowKey // of the last datagram
	current    *flow   // whose that was
	active     int     // flows of which something came in this turn
	head, tail *flow
	bytes      int      // memory of all that waits
	spare      *waiting // whose memory, usualDatagram each, is for those to come
}

// of returns the flow of a datagram, and whether the one before was of the same.
func (s *flows) of(turn uint64, owner *engine.Conn, from netip.Addr) (f *flow, same bool) {
	key := flowKey{conn: owner}
	if owner == nil {
		key.source = admission.SourceOf(from)
	}
	f, same = s.current, s.current == nil || key == s.key
	if f == nil || !same {
		if f = s.byKey[key]; f == nil {
			f = s.add(key)
		}
		s.key, s.current = key, f
	}
	if f.turn != turn {
		f.calm = turn-f.turn > calmTurns
		f.turn, f.taken = turn, 0
		s.active++
	}
	return f, same
}

// add makes a flow. When there are too many, those of which nothing waits are forgotten:
// they lose no more than the memory of what they had of this turn.
func (s *flows) add(key flowKey) *flow {
	if len(s.byKey) >= maxFlows {
		for k, f := range s.byKey {
			if f.first == nil {
				delete(s.byKey, k)
			}
		}
	}
	f := new(flow)
	s.byKey[key] = f
	return f
}

// leave forgets the flow of a connection that has been released. What waits of it is
// still in the list.
func (s *flows) leave(c *engine.Conn) {
	key := flowKey{conn: c}
	delete(s.byKey, key)
	if s.key == key {
		s.key, s.current = flowKey{}, nil
	}
}

// wait keeps a copy of a datagram, behind those of the flow that wait already. It returns
// false if there is no room.
func (s *flows) wait(f *flow, d *engine.Datagram) bool {
	size := max(len(d.Data), usualDatagram)
	if f.bytes+size > (MaxWaitingBytes-(s.bytes-f.bytes))/2 {
		return false
	}
	w := s.spare
	if w != nil && size == usualDatagram {
		s.spare, w.next = w.next, nil
	} else {
		w = &waiting{buf: make([]byte, size)}
	}
	w.datagram = *d
	w.datagram.Data = w.buf[:copy(w.buf, d.Data)]
	f.bytes += len(w.buf)
	s.bytes += len(w.buf)
	if f.first == nil {
		f.first = w
		s.push(f)
	} else {
		f.last.next = w
	}
	f.last = w
	return true
}

// dropOldest forgets the first datagram that waits of a flow, and reports whether it did:
// the last one stays, as the flow is in the list.
func (s *flows) dropOldest(f *flow) bool {
	if f.first == f.last {
		return false
	}
	s.recycle(s.next(f))
	return true
}

// next takes the first datagram out that waits of a flow, nil if there is none. It is
// to be given to recycle.
func (s *flows) next(f *flow) *waiting {
	w := f.first
	if w == nil {
		return nil
	}
	if f.first = w.next; f.first == nil {
		f.last = nil
	}
	w.next = nil
	f.bytes -= len(w.buf)
	s.bytes -= len(w.buf)
	return w
}

// recycle keeps the memory of a datagram that has been handled, unless it was a larger one:
// if those stayed behind smaller ones, which do not fit them, there would be ever more.
func (s *flows) recycle(w *waiting) {
	if len(w.buf) != usualDatagram {
		return
	}
	w.datagram = engine.Datagram{}
	w.next, s.spare = s.spare, w
}

// push puts a flow at the end of the list.
func (s *flows) push(f *flow) {
	if s.tail == nil {
		s.head = f
	} else {
		s.tail.next = f
	}
	s.tail = f
}

// pop takes the first flow out of the list.
func (s *flows) pop() *flow {
	f := s.head
	if s.head = f.next; s.head == nil {
		s.tail = nil
	}
	f.next = nil
	return f
}
