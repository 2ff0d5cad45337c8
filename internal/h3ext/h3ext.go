// Package h3ext is what packages http3 and webtransport share and users do not see: a
// protocol that has settings, streams and CONNECT requests of its own on HTTP/3's
// connections takes part in them by it.
//
// Package http3 knows nothing of webtransport, and this package nothing of http3, which
// sets HTTP3 when the program begins.
package h3ext

import (
	"context"
	"net/http"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// HTTP3 is what package http3 does for extensions.
var HTTP3 Host

// Host is package http3 as an extension sees it. Where a parameter is any, this package
// cannot name its type.
type Host interface {
	// ExtendServer has a *http3.Server, before it serves, take part in an extension. It
	// implies extended CONNECT and datagrams. state says what of the extension must be as it
	// was for early data to be accepted, such as its settings (RFC 9114, Section 7.2.4.2).
	// bad, if not nil, says why it cannot: the server does not listen then. It does not
	// either when it is extended twice.
	ExtendServer(server any, e Extension, state string, bad error)
	// ExtendTransport does the same with a *http3.Transport, before its first request.
	ExtendTransport(transport any, e Extension)
	// Connect sends an extended CONNECT request by an *http3.Transport, as its Connect does.
	Connect(ctx context.Context, transport any, req *http.Request) (Tunnel, *http.Response, error)
	// Conn returns what the server's extension made for the connection by which a request
	// came; nil when there is nothing.
	Conn(r *http.Request) Conn
	// Accept accepts an extended CONNECT request with a status of 200 to 299, as
	// http3.AcceptTunnel does.
	Accept(w http.ResponseWriter, status int) (Tunnel, error)
	// Refuse resets an extended CONNECT request instead of answering it. The handler should
	// return then.
	Refuse(w http.ResponseWriter, code h3.ErrorCode)
	// Error turns an error of this module's lower layers into an *http3.Error, if it has an
	// error code of HTTP/3.
	Error(err error) error
}

// Extension makes an extension's part of a connection. It is called on the connection's
// loop before anything is sent, which is the time for AddSettings and Claim of m.
type Extension func(t event.Turn, m *h3.Conn) Conn

// Conn is an extension's part of a connection. Its methods are called on the connection's
// loop, but for the last two, and must not block.
type Conn interface {
	// HandleSettings: the peer's SETTINGS have arrived.
	HandleSettings(t event.Turn)
	// HandleStream: the peer opened a stream that begins with what h3.Conn.Claim
	// claimed. That has been read, and nothing beyond. To be told of the stream, the
	// extension sets a handler (event.Turn.Handle); nothing is told of what has arrived
	// before.
	HandleStream(t event.Turn, s event.Stream)
	// HandleRefused: an extended CONNECT request has become no tunnel, so that
	// nothing can belong to it.
	HandleRefused(t event.Turn, streamID uint64)
	// HandleGoAway: this end or the peer wants no further requests on the
	// connection (RFC 9114, Section 5.2). It is called once.
	HandleGoAway(t event.Turn)
	// HandleClose: the connection has ended.
	HandleClose(t event.Turn, err error)

	// PrepareConnect completes a request of Host.Connect once the server's SETTINGS are
	// known. An error means that the request is not sent. It is called in a goroutine of
	// the user's.
	PrepareConnect(req *http.Request) error
	// AbandonConnect is called once when no tunnel has come of a request that was
	// prepared, on any goroutine.
	AbandonConnect()
}
