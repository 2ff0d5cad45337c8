package quic

import (
	"context"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/streambuf"
)

// ErrDatagramsDisabled is the error of datagrams on a connection on which this
// side (Config.EnableDatagrams) or the peer does not take them.
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

// SendDatagram sends a datagram, unreliably and unordered, in one packet (RFC 9221). It
// may be made of several parts, such as a header and a payload. It does not wait and
// does not keep them: datagrams queue up to a bound, beyond which the oldest is
// dropped and counted in Stats. The error is ErrDatagramsDisabled, a
// *DatagramTooLargeError or the connection's.
func (c *Conn) SendDatagram(parts ...[]byte) error {
	d := c.link.Datagrams()
	if d == nil {
		return ErrDatagramsDisabled
	}
	if err := c.Err(); err != nil {
		return err
	}
	switch err := d.Out.Send(parts...); err {
	case nil:
		c.link.DatagramsQueued()
		return nil
	case streambuf.ErrDatagramTooLarge:
		n := 0
		for _, p := range parts {
			n += len(p)
		}
		return &DatagramTooLargeError{Size: n, Max: d.Out.Limit()}
	default:
		return ErrDatagramsDisabled
	}
}

// MaxDatagramSize returns how many bytes a datagram may have now, 0 if none
// may be sent. It grows when the path turns out to take larger packets.
func (c *Conn) MaxDatagramSize() int {
	if d := c.link.Datagrams(); d != nil {
		return d.Out.Limit()
	}
	return 0
}

// ReceiveDatagram waits for the next datagram. The bytes are the caller's.
// Datagrams that nobody receives queue up to a bound, 1024 of them or 1 MiB, beyond
// which the oldest is dropped and counted in Stats. The error is
// ErrDatagramsDisabled, the cause of ctx's end or the connection's.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	d := c.link.Datagrams()
	if d == nil {
		return nil, ErrDatagramsDisabled
	}
	for {
		if b, ok := d.In.Pop(nil); ok {
			if d.In.Len() > 0 {
				c.signalDatagrams() // for another receiver
			}
			return b, nil
		}
		select {
		case <-c.datagrams:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.Done():
			if b, ok := d.In.Pop(nil); ok {
				return b, nil
			}
			return nil, c.Err()
		}
	}
}

// signalDatagrams wakes one receiver.
func (c *Conn) signalDatagrams() {
	select {
	case c.datagrams <- struct{}{}:
	default:
	}
}
