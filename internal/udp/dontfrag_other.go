//go:build !linux && !darwin && !freebsd && !windows

package udp

// setDontFragment does nothing: the system has no such option for UDP sockets,
// and RFC 9000, Section 14 asks for it only where it can be had.
func setDontFragment(uintptr) {}
