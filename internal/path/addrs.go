package path

import "net/netip"

// Addrs is the pair of addresses that a datagram travels between. Local may be the
// zero address when the socket does not tell.
type Addrs struct {
	Local  netip.Addr
	Remote netip.AddrPort
	// Socket is which of the sockets that a connection uses, 0 for the one that it began on.
	// The others are numbered by whoever owns them.
	Socket uint8
}

// sameHosts reports whether two pairs differ in nothing but the peer's port, as when a
// NAT has forgotten its mapping.
func (a *Addrs) sameHosts(b *Addrs) bool {
	return a.Socket == b.Socket && a.Local == b.Local && a.Remote.Addr() == b.Remote.Addr()
}

// ECN is the explicit congestion notification field of an IP header (RFC 3168,
// Section 5).
type ECN uint8

// The values of the field.
const (
	NotECT ECN = 0
	ECT1   ECN = 1
	ECT0   ECN = 2
	CE     ECN = 3
)
