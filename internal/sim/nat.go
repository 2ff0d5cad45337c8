package sim

import (
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Rebind is a NAT that gives the client a new port every Every, or a new
// address too with Address. Packets to the old mapping are lost.
type Rebind struct {
	chance
	Every   time.Duration
	Address bool
}

// outside returns the client's address as the server sees it at a time.
func (n *Rebind) outside(now monotime.Time) netip.AddrPort {
	times := uint16(now.Sub(start) / n.Every)
	ip := clientAddr.Addr().As4()
	if n.Address {
		ip[3] += byte(times % 100)
	}
	return netip.AddrPortFrom(netip.AddrFrom4(ip), clientAddr.Port()+times%1000)
}

// Pass implements Node.
func (n *Rebind) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if dir == ToServer {
		p.From = n.outside(now)
		deliver(now, p)
		return
	}
	if p.To == n.outside(now) {
		p.To = clientAddr
		deliver(now, p)
	}
}
