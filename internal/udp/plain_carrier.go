package udp

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// carrier is what a plain backend reads from and writes to: a socket of package net, or
// something else that carries datagrams. One goroutine reads, and any may write.
type carrier interface {
	// read waits for a datagram. truncated says that it was larger than buf.
	read(buf []byte) (size int, truncated bool, from netip.AddrPort, err error)
	write(data []byte, to netip.AddrPort) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// udpCarrier is a UDP socket of package net.
type udpCarrier struct{ *net.UDPConn }

func (c udpCarrier) read(buf []byte) (int, bool, netip.AddrPort, error) {
	size, _, flags, from, err := c.ReadMsgUDPAddrPort(buf, nil)
	return size, flags&msgTrunc != 0, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

func (c udpCarrier) write(data []byte, to netip.AddrPort) error {
	_, err := c.WriteToUDPAddrPort(data, to)
	return err
}

// packetCarrier is any net.PacketConn. Nobody knows whether it says that a datagram was
// too large for the buffer, so one that fills it counts as such.
type packetCarrier struct {
	net.PacketConn
	names *names
}

func (c packetCarrier) read(buf []byte) (int, bool, netip.AddrPort, error) {
	size, from, err := c.ReadFrom(buf)
	if err != nil || from == nil {
		return size, false, netip.AddrPort{}, err
	}
	return size, size == len(buf), c.names.addrPort(from), nil
}

func (c packetCarrier) write(data []byte, to netip.AddrPort) error {
	addr := c.names.addr(to)
	if addr == nil {
		return ErrUnreachable
	}
	_, err := c.WriteTo(data, addr)
	return err
}

// SetWriteDeadline is that of the PacketConn, if it has deadlines: a write may block then
// for as long as it likes.
func (c packetCarrier) SetWriteDeadline(t time.Time) error {
	if err := c.PacketConn.SetWriteDeadline(t); errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
