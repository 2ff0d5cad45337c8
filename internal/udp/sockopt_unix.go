//go:build unix

package udp

import "golang.org/x/sys/unix"

const (
	errInUse        = unix.EADDRINUSE
	errAccess       = unix.EACCES
	errNotAvailable = unix.EADDRNOTAVAIL

	errMessageSize = unix.EMSGSIZE
	errRefused     = unix.ECONNREFUSED
	errReset       = unix.ECONNRESET
	errNoBuffers   = unix.ENOBUFS

	msgTrunc = unix.MSG_TRUNC // flag of a datagram larger than the buffer
)

// unreachable lists the errors of a send that mean ErrUnreachable.
var unreachable = []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL,
	unix.EAFNOSUPPORT, unix.ENETDOWN}

// setReusePort lets other sockets with this option bind the same address.
func setReusePort(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// bufferSizes returns what the system gave, in bytes.
func bufferSizes(fd uintptr) (read, write int) {
	read, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	write, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
	return read, write
}
