package http3

import (
	"context"
	"errors"
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// datagramBuffers are what DATAGRAM frames are received into.
var datagramBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// SendDatagram sends an HTTP datagram of this request, unreliably and unordered
// (RFC 9297). It does not wait and does not keep p. The error is
// quic.ErrDatagramsDisabled when this end or the peer does not take them (see
// Server.EnableDatagrams and Transport.EnableDatagrams), a *quic.DatagramTooLargeError in
// bytes of p, or the connection's. Any goroutine may call it.
func (t *Tunnel) SendDatagram(p []byte) error {
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
// caller's. Datagrams that nobody receives wait, up to a bound; beyond it the
// oldest is dropped. The error is the cause of ctx's end, or says why the tunnel
// has ended. Any goroutine may call it.
func (t *Tunnel) ReceiveDatagram(ctx context.Context) ([]byte, error) { return t.datagrams.pop(ctx) }

// PushDatagram takes a datagram that has come in a capsule (RFC 9297, Section 3.5),
// as if it had come in a frame of its own. It does not keep p. Any goroutine may
// call it.
func (t *Tunnel) PushDatagram(p []byte) { t.datagrams.push(p) }

// DatagramsDropped returns how many received datagrams were dropped because
// nobody received them in time.
func (t *Tunnel) DatagramsDropped() uint64 { return t.datagrams.count() }
