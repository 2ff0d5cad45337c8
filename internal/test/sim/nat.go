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

// Rebind is a NAT that gives the client a new port after every Every packets
// from it, or a new address too with Address. Packets to the old mapping are
// lost. It belongs next to the client.
type Rebind struct {
	chance
	Every   int
	Address bool
	// Farther is by how much each second mapping is farther from the server than the
	// others, on the way to the client.
	Farther time.Duration

	packets int
}

// outside returns the client's address as the server sees it now.
func (n *Rebind) outside() netip.AddrPort {
	times := uint16(n.packets / n.Every)
	ip := clientAddr.Addr().As4()
	if n.Address {
		ip[3] += byte(times % 100)
	}
	return netip.AddrPortFrom(netip.AddrFrom4(ip), clientAddr.Port()+times%1000)
}

// Pass implements Node.
func (n *Rebind) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if dir == ToServer {
		n.packets++
		p.From = n.outside()
		deliver(now, p)
		return
	}
	if p.To == n.outside() {
		now = now.Add(n.detour(p.To))
		p.To = clientAddr
		deliver(now, p)
	}
}

// detour is how much farther a mapping is than the nearest.
func (n *Rebind) detour(a netip.AddrPort) time.Duration {
	if (a.Port()-clientAddr.Port())%2 == 0 {
		return 0
	}
	return n.Farther
}

// watchPaths demands of a server whose client n moves, over a way with this round-trip
// time, that the one measured on a path is not less than the path's, and that packets
// are marked on each (RFC 9000, Sections 9.4 and 13.4.2.1).
func (n *Rebind) watchPaths(rtt time.Duration) func(wire.Side, *engine.Conn, engine.Transmit) error {
	return func(side wire.Side, c *engine.Conn, t engine.Transmit) error {
		if side == wire.ClientSide || c.Closed() != nil {
			return nil
		}
		if least, got := rtt+n.detour(c.Path().Remote), c.Stats().MinRTT; got != 0 && got < least {
			return fmt.Errorf("a round trip of %v is measured to %v, which is %v away", got, c.Path().Remote, least)
		}
		if t.ECN != path.ECT0 {
			return fmt.Errorf("packets to %v are not marked any more", t.Path.Remote)
		}
		return nil
	}
}
