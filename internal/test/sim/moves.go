package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// preferredAddr is a further address of the server's, to which it may want its clients.
var preferredAddr = netip.MustParseAddrPort("10.0.0.3:4433")

// Moves has the client move from one of its addresses to the next and in the end back to the
// first, over and over: it probes the next, and sends there when it has an answer.
type Moves struct {
	Every   time.Duration // after a move, or after a probe without an answer
	Sockets uint8         // how many further addresses there are
	Leave   bool          // a path is left as soon as another one is in use
	Least   int           // how many moves there must be
}

// mover is a client's share in a run with Moves.
type mover struct {
	moves  int
	next   uint8         // to which socket
	tries  bool          // it has been probed
	wakeAt monotime.Time // zero before the handshake
	seen   map[wire.ConnectionID]path.Addrs
}

// clientAt returns the client's address at one of its sockets.
func clientAt(socket uint8) netip.AddrPort {
	if socket == 0 {
		return clientAddr
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, socket}), clientAddr.Port()+uint16(socket))
}

// socketAt is the reverse of clientAt.
func socketAt(a netip.AddrPort) uint8 {
	if ip := a.Addr().As4(); ip[2] == 1 {
		return ip[3]
	}
	return 0
}

// act probes, and moves.
func (m *mover) act(now monotime.Time, h *host) error {
	plan := h.run.Moves
	if plan.Sockets == 0 || h.side == wire.ServerSide || h.closed != nil || !h.app.ready {
		return nil
	}
	if m.wakeAt.IsZero() {
		m.wakeAt, m.next = now.Add(plan.Every), 1
	}
	to := path.Addrs{Remote: h.conn.Path().Remote, Socket: m.next}
	switch standing := h.conn.PathStanding(to); {
	case m.tries && standing == engine.PathUsable:
		return m.move(now, h, to)
	case m.tries && standing == engine.PathUnknown:
		m.tries, m.wakeAt = false, now.Add(plan.Every)
	case !m.tries && !m.wakeAt.After(now):
		m.wakeAt = now.Add(plan.Every)
		m.tries = h.conn.ProbePath(now, to) == nil
	}
	return nil
}

func (m *mover) move(now monotime.Time, h *host, to path.Addrs) error {
	from := h.conn.Path()
	if err := h.conn.SwitchPath(now, to); err != nil {
		return fmt.Errorf("a path that has an answer cannot be used: %w", err)
	}
	if h.run.Moves.Leave {
		if err := h.conn.LeavePath(from); err != nil {
			return err
		}
	}
	m.moves++
	m.tries, m.wakeAt = false, now.Add(h.run.Moves.Every)
	m.next = (m.next + 1) % (h.run.Moves.Sockets + 1)
	return nil
}

// deadline returns when act has something to do, zero for never.
func (m *mover) deadline(h *host) monotime.Time {
	if m.tries || h.closed != nil {
		return 0
	}
	return m.wakeAt
}

// check demands that a client's packets have an ID for each of its addresses, and of its
// server's (RFC 9000, Section 9.5).
func (m *mover) check(h *host, a path.Addrs, packet []byte) error {
	if h.side == wire.ServerSide || packet[0]&0x80 != 0 || h.conn.Closed() != nil {
		return nil
	}
	id, _ := wire.NewConnectionID(packet[1:][:connIDLen])
	if m.seen == nil {
		m.seen = make(map[wire.ConnectionID]path.Addrs)
	}
	if before, ok := m.seen[id]; ok && before != a {
		return fmt.Errorf("ID %x leaves from %v to %v, and left from %v to %v", id.Bytes(), clientAt(a.Socket), a.Remote, clientAt(before.Socket), before.Remote)
	}
	m.seen[id] = a
	return nil
}

// connIDLen is the length of the hosts' connection IDs.
const connIDLen = 8

// Dark loses what is sent to and from an address of the client's, for a while.
type Dark struct {
	chance
	Socket      uint8
	From, Until time.Duration
}

// Pass implements Node.
func (n *Dark) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	client := p.From
	if dir == ToClient {
		client = p.To
	}
	if t := now.Sub(start); t < n.From || t >= n.Until || socketAt(client) != n.Socket {
		deliver(now, p)
	}
}

// Farther holds up what is sent to and from an address of the client's, or the server's
// preferred one.
type Farther struct {
	chance
	Addr netip.Addr
	By   time.Duration
}

// Pass implements Node.
func (n *Farther) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if p.From.Addr() == n.Addr || p.To.Addr() == n.Addr {
		now = now.Add(n.By)
	}
	deliver(now, p)
}
