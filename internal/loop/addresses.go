package loop

import (
	"net"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/udp"
)

// versatile is a Socket that may have other addresses than those of IP, and that others
// may send by: see udp.Socket.
type versatile interface {
	NetAddr(netip.AddrPort) net.Addr
	Named(text string) (netip.AddrPort, bool)
	Write(data []byte, to net.Addr) error
}

var _ versatile = (*udp.Socket)(nil)

// NetAddr returns the address in the socket's network for which a stands. Any goroutine
// may call it.
func (l *Loop) NetAddr(a netip.AddrPort) net.Addr {
	if s := l.versatile; s != nil {
		if addr := s.NetAddr(a); addr != nil {
			return addr
		}
	}
	return net.UDPAddrFromAddrPort(a)
}

// Named returns what stands for an address as it is written in the socket's network. ok is
// false if that has IP addresses. Any goroutine may call it.
func (l *Loop) Named(text string) (a netip.AddrPort, ok bool) {
	if s := l.versatile; s != nil {
		return s.Named(text)
	}
	return a, false
}

// Write sends a datagram of somebody else's by the socket. Any goroutine may call it.
func (l *Loop) Write(data []byte, to net.Addr) error {
	if s := l.versatile; s != nil {
		return s.Write(data, to)
	}
	addr, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	if !l.Do(func() { done <- l.sock.Send(data, 0, addr, netip.Addr{}, 0) }) {
		return net.ErrClosed
	}
	return <-done
}
