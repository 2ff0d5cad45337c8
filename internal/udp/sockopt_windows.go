package udp

import (
	"errors"

	"golang.org/x/sys/windows"
)

const (
	errInUse        = windows.WSAEADDRINUSE
	errAccess       = windows.WSAEACCES
	errNotAvailable = windows.WSAEADDRNOTAVAIL

	errMessageSize = windows.WSAEMSGSIZE
	errRefused     = windows.WSAECONNREFUSED
	errReset       = windows.WSAECONNRESET
	errNoBuffers   = windows.WSAENOBUFS

	msgTrunc = windows.MSG_TRUNC // flag of a datagram larger than the buffer
)

// unreachable lists the errors of a send that mean ErrUnreachable.
var unreachable = []error{windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAEADDRNOTAVAIL,
	windows.WSAEAFNOSUPPORT, windows.WSAENETDOWN}

// setReusePort fails: Windows has no option that spreads datagrams over sockets.
func setReusePort(uintptr) error {
	return errors.New("several sockets cannot share a port on Windows")
}

// bufferSizes returns what the system gave, in bytes.
func bufferSizes(fd uintptr) (read, write int) {
	read, _ = windows.GetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_RCVBUF)
	write, _ = windows.GetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_SNDBUF)
	return read, write
}
