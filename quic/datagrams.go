package quic

import (
	"context"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// ErrDatagramsDisabled is the error of datagrams when this side (Config.EnableDatagrams) or
// the peer does not take them.
var ErrDatagramsDisabled = errors.New("quic: datagrams are not enabled on both sides")

// DatagramTooLargeError is the error of a datagram that does not fit into a
// packet.
type DatagramTooLargeError struct {
	Size int // bytes of the datagram
	Max  int // bytes that would have been possible
}

func (e *DatagramTooLargeError) Error() string {
	return fmt.Sprintf("quic: datagram of %d bytes is too large, at most %d fit into a packet", e.Size, e.Max)
}

// What waits to be received on a connection, at most: a burst of bulk, all of which a
// receiver that runs soon gets. When memory is short, a queue still keeps a few.
const (
	maxQueuedDatagrams       = 1024
	maxQueuedDatagramBytes   = 1 << 20
	leastQueuedDatagramBytes = 4 << 10
)

// SendDatagram sends a datagram, unreliably and unordered, in one packet (RFC 9221). It
// may be made of several parts, such as a header and a payload. It does not wait and
// does not keep them. Up to 1 MiB of datagrams wait to leave, beyond which the oldest is
// dropped and counted in Stats. The error is ErrDatagramsDisabled, a
// *DatagramTooLargeError or the connection's.
func (c *Conn) SendDatagram(parts ...[]byte) error {
	err := c.face.Link.SendDatagram(parts...)
	if err == nil {
		return nil
	}
	if ended := c.Err(); ended != nil {
		return ended
	}
	if err != streambuf.ErrDatagramTooLarge {
		return ErrDatagramsDisabled
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	return &DatagramTooLargeError{Size: n, Max: c.MaxDatagramSize()}
}

// MaxDatagramSize returns how many bytes a datagram may have now, 0 if none
// may be sent. It grows when the path turns out to take larger packets.
func (c *Conn) MaxDatagramSize() int {
	if d := c.face.Link.Datagrams(); d != nil {
		return d.Out.Limit()
	}
	return 0
}

// ReceiveDatagram waits for the next datagram. The bytes are the caller's; small
// datagrams that arrive together share up to a kilobyte of memory, so it is better to
// copy what is kept for long. Datagrams that nobody receives queue up to a bound, 1024 of
// them or 1 MiB, beyond which the oldest is dropped and counted in Stats. The error is
// ErrDatagramsDisabled, the cause of ctx's end or, when none is left, the connection's.
// On a connection whose Handler is a DatagramHandler (package event), that gets all of
// them.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	if c.datagrams == nil {
		return nil, ErrDatagramsDisabled
	}
	return c.datagrams.Pop(ctx)
}

// queueDatagrams makes the queue of a connection that takes datagrams. On the loop's
// goroutine.
func (c *Conn) queueDatagrams() {
	c.datagrams = new(queue.Queue[[]byte])
	c.datagrams.Bound(queue.Bounds{
		Items: maxQueuedDatagrams, Bytes: maxQueuedDatagramBytes,
		Account: c.face.Link, Least: leastQueuedDatagramBytes,
	})
}
