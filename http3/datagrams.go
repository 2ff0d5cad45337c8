package http3

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// What waits to be received, at most. The oldest goes first.
const (
	// maxQueuedDatagrams and maxQueuedDatagramBytes bound what waits of one request:
	// some hundred packets, which arrive in a burst and which a reader that runs soon
	// gets all of.
	maxQueuedDatagrams     = 512
	maxQueuedDatagramBytes = 512 << 10

	// maxConnDatagramBytes bounds what waits of all requests of a connection.
	maxConnDatagramBytes = 4 << 20
)

// datagramBytes counts the bytes that wait on a connection.
type datagramBytes struct {
	qc *quic.Conn // which counts them as well; set before the first tunnel, whose readers need it
	n  atomic.Int64
}

// CountBuffered implements queue.Account.
func (b *datagramBytes) CountBuffered(n int) bool {
	within := event.CountBuffered(b.qc, n)
	return b.n.Add(int64(n)) <= maxConnDatagramBytes && within
}

// SendDatagram sends an HTTP datagram of this request, unreliably and unordered
// (RFC 9297). It does not wait and does not keep p. The error is
// quic.ErrDatagramsDisabled when this end or the peer does not take them (see
// Server.EnableDatagrams and Transport.EnableDatagrams), a *quic.DatagramTooLargeError in
// bytes of p, one that says that the tunnel has ended after Close or Abort, or the
// connection's. Any goroutine may call it.
func (t *Tunnel) SendDatagram(p []byte) error {
	if t.writeOver.Load() {
		return errTunnelEnded // RFC 9297, Section 2.1
	}
	err := t.content.rs.SendDatagram(p)
	if err == h3.ErrDatagramsDisabled {
		return quic.ErrDatagramsDisabled
	}
	if tooLarge, ok := errors.AsType[*quic.DatagramTooLargeError](err); ok {
		return &quic.DatagramTooLargeError{Size: len(p), Max: max(0, tooLarge.Max-t.content.rs.DatagramOverhead())}
	}
	return err
}

// MaxDatagramSize returns how many bytes a datagram may have now, 0 if none may
// be sent.
func (t *Tunnel) MaxDatagramSize() int {
	return max(0, t.conn.qc.MaxDatagramSize()-t.content.rs.DatagramOverhead())
}

// ReceiveDatagram waits for the next datagram of this request. The bytes are the
// caller's, as with quic.Conn.ReceiveDatagram. Datagrams that nobody receives wait,
// up to 512 of them and 512 KiB of each request, and 4 MiB on a connection; beyond that the
// oldest is dropped. The error is context.Cause(ctx), or says why the tunnel has ended. Any
// goroutine may call it.
func (t *Tunnel) ReceiveDatagram(ctx context.Context) ([]byte, error) { return t.datagrams.Pop(ctx) }

// DatagramsDropped returns how many received datagrams were dropped because
// nobody received them in time.
func (t *Tunnel) DatagramsDropped() uint64 { return t.datagrams.Dropped() }
