package udp

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// maxRefusals is how many refusals one call of Refusals takes.
const maxRefusals = 64

// WatchRefusals makes the kernel keep what ICMP answers to datagrams, for Refusals, or
// stop that and forget it (IP_RECVERR, ip(7)). Meanwhile a refusal wakes Recv, and
// Refusals must be called before the next, or that will not sleep. It belongs to the
// owner. Systems other than Linux tell nothing.
func (s *Socket) WatchRefusals(on bool) error {
	value := 0
	if on {
		value = 1
	}
	var v4, v6 error
	err := s.control(func(fd uintptr) {
		v4 = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_RECVERR, value)
		v6 = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_RECVERR, value)
	})
	if err == nil && v4 != nil && v6 != nil { // a socket of IPv4 alone refuses the second
		err = os.NewSyscallError("setsockopt", errors.Join(v4, v6))
	}
	return err
}

// Refusals returns the addresses at whose port nobody is, as ICMP has said since it was
// called last. Anybody who sees what is sent can say so.
func (s *Socket) Refusals() (refused []netip.AddrPort) {
	_ = s.control(func(fd uintptr) { // a closed socket has none
		var control [512]byte
		for range maxRefusals {
			_, n, _, from, err := unix.Recvmsg(int(fd), nil, control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if to := addrPortOf(from); to.IsValid() && saysRefused(control[:n]) {
				refused = append(refused, to)
			}
		}
	})
	return refused
}

// addrPortOf returns the destination of the datagram that was answered.
func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 && ip.Is6() {
			ip = ip.WithZone(new(zones).name(sa.ZoneId))
		}
		return netip.AddrPortFrom(ip, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// saysRefused reports whether control messages have an extended error (struct
// sock_extended_err) of that kind.
func saysRefused(control []byte) bool {
	for len(control) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return false
		}
		control = rest
		extended := h.Level == unix.SOL_IP && h.Type == unix.IP_RECVERR || h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_RECVERR
		if extended && len(data) >= 4 {
			return unix.Errno(binary.NativeEndian.Uint32(data)) == unix.ECONNREFUSED
		}
	}
	return false
}
