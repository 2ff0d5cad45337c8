package h3ext

import (
	"context"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Tunnel is an http3.Tunnel that is event-driven, so that one on which nothing happens
// needs no goroutine. Methods with an event.Turn must be called on the connection's loop;
// any goroutine may call the others.
type Tunnel interface {
	// StreamID, QUIC, Abort, SendDatagram, MaxDatagramSize, ReceiveDatagram and
	// DatagramsDropped are those of http3.Tunnel.
	StreamID() uint64
	QUIC() *quic.Conn
	SendDatagram(p []byte) error
	MaxDatagramSize() int
	ReceiveDatagram(ctx context.Context) ([]byte, error)
	DatagramsDropped() uint64

	// Conn returns the extension's part of the connection.
	Conn() Conn
	// Serve makes the tunnel event-driven. Content that has arrived already is told at
	// once.
	Serve(t event.Turn, h TunnelHandler)
	// Send sends content in one DATA frame. It does not wait and does not keep p: of what
	// the stream does not take now a copy is kept. Who sends more than the peer reads
	// should look at Unsent, and wait for HandleWritable: when h3.MaxUnsent bytes are kept
	// already, Send resets the tunnel with H3_EXCESSIVE_LOAD, and the handler is told.
	Send(t event.Turn, p []byte)
	// SendLast is Send for the last content, and finishes the sending half. Whatever the
	// peer's flow control says, it does not wait. It leaves before what other streams have
	// to send, and before resets of them that come later.
	SendLast(t event.Turn, p []byte)
	// Unsent returns how many bytes given to Send have not been sent, as the peer's flow
	// control or the network holds them back.
	Unsent(t event.Turn) int
	// Reset is http3.Tunnel.Abort.
	Reset(code h3.ErrorCode)
	// StopReading tells the peer with a code that nothing further will be read. No
	// HandleEnd follows.
	StopReading(code h3.ErrorCode)
	// PushDatagram takes a datagram that has come in a capsule (RFC 9297, Section 3.5),
	// as if it had come in a frame of its own. It does not keep p.
	PushDatagram(p []byte)
	// CloseDatagrams makes ReceiveDatagram return err once no datagram is left.
	CloseDatagrams(err error)
	// WhenOver calls f on the loop when both directions have ended, or the connection; at
	// once if they have.
	WhenOver(t event.Turn, f func())
}

// TunnelHandler is told what happens on a Tunnel. Its methods run on the connection's
// loop and must not block.
type TunnelHandler interface {
	// HandleData: content arrived. p is valid until the call returns.
	HandleData(t event.Turn, p []byte)
	// HandleEnd: no more content will arrive. err is io.EOF when the peer has finished
	// the stream, an *http3.Error when it was reset or the content is malformed, or the
	// connection's error. It is the last call, and comes once; it does not come after
	// Reset.
	HandleEnd(t event.Turn, err error)
	// HandleWritable: all of what Send was given has been sent, after a call of Unsent
	// that found that it had not.
	HandleWritable(t event.Turn)
}
