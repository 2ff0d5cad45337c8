//go:build darwin || freebsd

package udp

import "golang.org/x/sys/unix"

// setDontFragment forbids to fragment datagrams (RFC 9000, Section 14). Of the
// two options, the one that is not of the socket's family may fail.
func setDontFragment(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_DONTFRAG, 1)
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1)
}
