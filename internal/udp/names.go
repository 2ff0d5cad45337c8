package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// NetAddr returns the address of a network that has no IP addresses for which a stands, or
// a itself, as a *net.UDPAddr. It is nil if that has been forgotten, as nothing came from
// there for long.
func (s *Socket) NetAddr(a netip.AddrPort) net.Addr {
	if s.names == nil {
		return net.UDPAddrFromAddrPort(a)
	}
	return s.names.addr(a)
}

// addrPort is the reverse of NetAddr. It is invalid for what is no address of the socket's
// network.
func (s *Socket) addrPort(a net.Addr) netip.AddrPort {
	if s.names != nil {
		return s.names.addrPort(a)
	}
	if u, ok := a.(*net.UDPAddr); ok {
		return u.AddrPort()
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap
}

// Named returns what stands for an address as its String has it, in the network of the
// socket. ok is false for a network of IP addresses.
func (s *Socket) Named(text string) (_ netip.AddrPort, ok bool) {
	if s.names == nil || s.names.network == "" {
		return netip.AddrPort{}, false
	}
	return s.names.addrPort(s.names.named(text)), true
}

// names has IP addresses for those who have none, such as a Unix socket: the n-th name is
// at 100::n, of a prefix that leads nowhere (RFC 6666), and port 1. UDP addresses stand
// for themselves. Any goroutine may use it.
//
// What is heard of nobody for long is forgotten, so that strangers cannot make it grow.
type names struct {
	network string         // of the PacketConn: "unixgram"; "" for one of IP addresses
	local   netip.AddrPort // the PacketConn's; invalid if it has none
	own     net.Addr       // for which local stands, nil for itself: it is not forgotten

	mu           sync.Mutex
	last         uint64
	fresh, stale nameTable
}

// nameTable has names both ways.
type nameTable struct {
	byText map[string]uint64
	byID   map[uint64]net.Addr
}

// maxFreshNames is how many names are in use before those are forgotten that were not
// since as many others were. A server has no more connections by default.
const maxFreshNames = 1 << 14

// namesPort is the port of every name.
const namesPort = 1

// newNames returns the names for a PacketConn by its own address, which may be nil.
func newNames(local net.Addr) *names {
	n := &names{fresh: newNameTable(), stale: newNameTable()}
	if local == nil {
		return n
	}
	if strings.HasPrefix(local.Network(), "udp") {
		n.local, _ = netip.ParseAddrPort(local.String())
	} else {
		n.network, n.own = local.Network(), local
		n.local = n.addrPort(local)
	}
	return n
}

func newNameTable() nameTable {
	return nameTable{byText: make(map[string]uint64), byID: make(map[uint64]net.Addr)}
}

// addrPort returns the IP address of a name.
func (n *names) addrPort(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	text := a.String()
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := n.fresh.byText[text]
	if !ok {
		if id, ok = n.stale.byText[text]; !ok {
			n.last++
			id = n.last
		}
		n.add(id, text, a)
	}
	return nameAddr(id)
}

// addr returns the name of an IP address, nil if it has been forgotten.
func (n *names) addr(ap netip.AddrPort) net.Addr {
	id, ok := nameID(ap)
	switch {
	case !ok:
		return net.UDPAddrFromAddrPort(ap)
	case n.own != nil && ap == n.local:
		return n.own
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.fresh.byID[id]
	if a == nil {
		if a = n.stale.byID[id]; a != nil {
			n.add(id, a.String(), a)
		}
	}
	return a
}

// add keeps a name as one that is in use. The lock is held.
func (n *names) add(id uint64, text string, a net.Addr) {
	if len(n.fresh.byText) >= maxFreshNames {
		n.stale, n.fresh = n.fresh, newNameTable()
	}
	n.fresh.byText[text], n.fresh.byID[id] = id, a
}

// named makes the address of a name that somebody has written down.
func (n *names) named(text string) net.Addr {
	if n.network == "unixgram" {
		return &net.UnixAddr{Name: text, Net: n.network}
	}
	return otherAddr{n.network, text}
}

// otherAddr is the address of a network that package net does not know.
type otherAddr struct{ network, text string }

func (a otherAddr) Network() string { return a.network }
func (a otherAddr) String() string  { return a.text }

// nameAddr is the IP address of the id-th name.
func nameAddr(id uint64) netip.AddrPort {
	b := [16]byte{0: 1}
	binary.BigEndian.PutUint64(b[8:], id)
	return netip.AddrPortFrom(netip.AddrFrom16(b), namesPort)
}

// nameID is the reverse of nameAddr.
func nameID(ap netip.AddrPort) (uint64, bool) {
	b := ap.Addr().As16()
	id := binary.BigEndian.Uint64(b[8:])
	return id, ap == nameAddr(id)
}
