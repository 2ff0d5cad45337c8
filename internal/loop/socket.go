package loop

import (
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// Socket is the socket of a loop: a *udp.Socket, or a fake in tests. Its
// methods do what those of *udp.Socket say. The loop's goroutine calls Recv,
// TryRecv, Send and Close, and any goroutine calls the others.
type Socket interface {
	LocalAddr() netip.AddrPort
	Recv(deadline time.Time) ([]udp.Message, error)
	TryRecv() ([]udp.Message, error)
	Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error
	Wake()
	Stats() udp.Stats
	Close() error
}
