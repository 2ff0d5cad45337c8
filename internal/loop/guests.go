package loop

import (
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

// guests are the connections of other loops that use a group's sockets as well, by what
// their packets are sent to: what comes for one is handed to its loop. The group's loops
// read, and the connections' loops write, just before they tell the peer.
type guests struct {
	any atomic.Int32 // how many routes there are

	mu     sync.Mutex
	ids    map[wire.ConnectionID]guest
	tokens map[wire.ResetToken]guest
	lens   [wire.MaxConnectionIDLen + 1]int // how many IDs have a length
}

// guest is whose a route is, and the number that its connection has for the group's sockets.
type guest struct {
	home   *Loop
	socket uint8
}

// routes are what leads to a connection.
type routes struct {
	ids    []wire.ConnectionID
	tokens []wire.ResetToken
}

// replace makes routes to g others.
func (s *guests) replace(g guest, old, now *routes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids, s.tokens = make(map[wire.ConnectionID]guest), make(map[wire.ResetToken]guest)
	}
	for _, id := range old.ids {
		if s.ids[id] == g {
			delete(s.ids, id)
			s.lens[id.Len()]--
		}
	}
	for _, t := range old.tokens {
		if s.tokens[t] == g {
			delete(s.tokens, t)
		}
	}
	for _, id := range now.ids {
		if _, taken := s.ids[id]; !taken {
			s.ids[id] = g
			s.lens[id.Len()]++
		}
	}
	for _, t := range now.tokens {
		s.tokens[t] = g
	}
	s.any.Store(int32(len(s.ids) + len(s.tokens)))
}

// find returns the guest that a datagram is for. Those use further sockets after the
// handshake only, when headers are short.
func (s *guests) find(datagram []byte) (g guest, ok bool) {
	if len(datagram) == 0 || datagram[0]&longHeaderBit != 0 {
		return g, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := wire.MaxConnectionIDLen; n >= 0; n-- { // last those with none, who take everything
		if s.lens[n] == 0 || len(datagram) <= n {
			continue
		}
		id, _ := wire.NewConnectionID(datagram[1:][:n])
		if g, ok = s.ids[id]; ok {
			return g, true
		}
	}
	if n := len(wire.ResetToken{}); len(datagram) > n {
		g, ok = s.tokens[wire.ResetToken(datagram[len(datagram)-n:])]
	}
	return g, ok
}

const longHeaderBit = 0x80

// guestOf returns the guest that a datagram is for; ok is false if that is none: then it is
// this group's.
func (l *Loop) guestOf(datagram []byte) (g guest, ok bool) {
	if l.guests.any.Load() == 0 || l.endpoint.Knows(datagram) {
		return g, false
	}
	return l.guests.find(datagram)
}

// guestTrain is the datagrams of a message, one behind the other, that are for one guest. The
// kernel puts together what comes from one address, whatever connections it is for.
type guestTrain struct {
	of         guest
	from, size int // in the message's data; size is 0 for none
}

// handHome hands the train to its guest's loop.
func (t *guestTrain) handHome(m *udp.Message) {
	if t.size == 0 {
		return
	}
	part := *m
	part.Data = m.Data[t.from:][:t.size]
	t.of.home.handMessage(&part, t.of.socket)
	t.size = 0
}

// add puts the datagram at a place of the message behind those before, which are handed home
// if they are another guest's.
func (t *guestTrain) add(m *udp.Message, g guest, at, size int) {
	if t.of != g || t.from+t.size != at {
		t.handHome(m)
		t.of, t.from = g, at
	}
	t.size += size
}

// handMessage has the loop take a message that came by a further socket, unless too many
// datagrams wait for that. Any goroutine may call it; the bytes are copied. What is for none of
// its connections any more is dropped: the loop has no way to answer there.
func (l *Loop) handMessage(m *udp.Message, socket uint8) {
	n := int64(m.Count())
	if l.handed.Add(n) > maxHandedOver {
		l.handed.Add(-n)
		return
	}
	own := *m
	own.Data = append([]byte(nil), m.Data...)
	if !l.Do(func() {
		l.handed.Add(-n)
		d := engine.Datagram{Path: path.Addrs{Local: own.Local, Remote: own.Remote, Socket: socket}, ECN: path.ECN(own.ECN)}
		for data := range own.Datagrams() {
			if d.Data = data; l.endpoint.Knows(data) {
				l.take(&d)
			}
		}
		l.tellDatagrams()
	}) {
		l.handed.Add(-n)
	}
}
