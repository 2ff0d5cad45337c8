package udp

import "golang.org/x/sys/windows"

// The options' numbers in ws2ipdef.h.
const (
	ipDontFragment   = 14
	ipv6DontFragment = 14
)

// setDontFragment forbids to fragment datagrams (RFC 9000, Section 14). Of the
// two options, the one that is not of the socket's family may fail.
func setDontFragment(fd uintptr) {
	h := windows.Handle(fd)
	_ = windows.SetsockoptInt(h, windows.IPPROTO_IP, ipDontFragment, 1)
	_ = windows.SetsockoptInt(h, windows.IPPROTO_IPV6, ipv6DontFragment, 1)
}
