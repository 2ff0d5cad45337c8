package sim

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Rebind is a NAT that gives the client a new port after every Every packets
// from it, or a new address too with Address. Packets to the old mapping are
// lost. It belongs next to the client.
type Rebind struct {
	chance
	Every   int
	Address bool

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
		p.To = clientAddr
		deliver(now, p)
	}
}
