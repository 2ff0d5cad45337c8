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
	for n, count := range s.lens {
		if count == 0 || len(datagram) <= n {
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

// handHome gives a message to the loop of the guest that its first datagram is for. It
// returns false if that is none: then it is this group's.
func (l *Loop) handHome(m *udp.Message) bool {
	if l.guests.any.Load() == 0 {
		return false
	}
	first := m.Data
	if m.Segment > 0 && m.Segment < len(first) {
		first = first[:m.Segment]
	}
	if l.endpoint.Knows(first) {
		return false
	}
	g, ok := l.guests.find(first)
	if !ok {
		return false
	}
	g.home.handMessage(m, g.socket)
	return true
}

// handMessage has the loop take a message that came by a further socket, unless too many
// datagrams wait for that. Any goroutine may call it; the bytes are copied.
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
			d.Data = data
			l.take(&d)
		}
		l.tellDatagrams()
	}) {
		l.handed.Add(-n)
	}
}
