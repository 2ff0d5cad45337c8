package udp

import (
	"errors"
	"net"
)

var (
	// ErrMessageSize is returned by Send when a datagram is larger than the
	// interface or the known path MTU lets through. Sockets never fragment
	// (RFC 9000, Section 14), so this is how path MTU discovery learns of a
	// local limit.
	ErrMessageSize = errors.New("udp: the datagram is larger than the path MTU")

	// ErrUnreachable is returned by Send when this machine has no way to the
	// destination: no route, no address of its family, or the source address
	// is gone. Nothing was sent; later sends may succeed.
	ErrUnreachable = errors.New("udp: no route to the destination from this address")
)

// closedOr returns net.ErrClosed itself if err is about a closed socket.
func closedOr(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return net.ErrClosed
	}
	return err
}
