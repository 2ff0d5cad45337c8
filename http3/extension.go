package http3

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// Extension is a protocol that shares connections with HTTP/3, as WebTransport
// does: it has settings, streams that are its own, and CONNECT requests by which
// its sessions begin. See Server.Extension and Transport.Extension.
type Extension interface {
	// NewConn is called for each connection, on its loop, before anything is
	// sent. It is the time for Conn.AddSetting and Conn.Claim.
	NewConn(c *Conn) ConnExtension
}

// ConnExtension is an Extension on one connection. Its methods are called on the
// connection's loop and must not block.
type ConnExtension interface {
	// HandleSettings: the peer's SETTINGS have arrived.
	HandleSettings(t *quic.Turn)
	// HandleStream: the peer opened a stream that begins with what Conn.Claim
	// claimed. That has been read, and nothing beyond. To be told of the stream, the
	// extension sets a handler (quic.Turn.Handle); nothing is told of what has arrived
	// before.
	HandleStream(t *quic.Turn, s quic.StreamRef)
	// HandleRefused: an extended CONNECT request has become no tunnel, so that
	// nothing can belong to it.
	HandleRefused(t *quic.Turn, streamID uint64)
	// HandleGoAway: this end or the peer wants no further requests on the
	// connection (RFC 9114, Section 5.2). It is called once.
	HandleGoAway(t *quic.Turn)
	// HandleClose: the connection has ended.
	HandleClose(t *quic.Turn, err error)
}

// Conn is an HTTP/3 connection as its Extension sees it. Unless they say
// otherwise, its methods must be called on the connection's loop.
type Conn struct{ c *conn }

// QUIC returns the connection below. Any goroutine may call it.
func (c *Conn) QUIC() *quic.Conn { return c.c.qc }

// IsServer reports whether this end is the server. Any goroutine may call it.
func (c *Conn) IsServer() bool { return c.c.isServer }

// AddSetting adds a setting to this end's SETTINGS. It has no effect after
// Extension.NewConn has returned.
func (c *Conn) AddSetting(id, value uint64) {
	c.c.machine.AddSettings(h3.Setting{ID: h3.SettingID(id), Value: value})
}

// Claim says which of the peer's streams are the extension's: unidirectional ones
// of type uni, and bidirectional ones whose first bytes are the signal, a
// variable-length integer like a frame's type. The signal is an error anywhere
// else. It has no effect after Extension.NewConn has returned.
func (c *Conn) Claim(uni, signal uint64) {
	c.c.machine.Claim(h3.StreamType(uni), h3.FrameType(signal))
}

// PeerSettings returns the peer's SETTINGS, nil before they have arrived. Any
// goroutine may call it; they must not be changed.
func (c *Conn) PeerSettings() *h3.Settings { return c.c.machine.PeerSettings() }

// Abort closes the connection for a violation of the protocol. Any goroutine may
// call it.
func (c *Conn) Abort(code ErrorCode, reason string) {
	c.c.machine.AbortSoon(&h3.ConnError{Code: code, Reason: reason})
}
