package http3

import (
	"context"
	"errors"
	"net/http"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
)

func init() { h3ext.HTTP3 = extensionHost{} }

// extensionHost is this package as extensions see it: an h3ext.Host.
type extensionHost struct{}

// ExtendServer has a *Server take part in an extension.
func (extensionHost) ExtendServer(server any, e h3ext.Extension, state string, bad error) {
	s := server.(*Server)
	if s.extension != nil || s.extensionErr != nil {
		bad = errExtendedTwice
	}
	s.extension, s.extensionState, s.extensionErr = e, state, bad
}

// errExtendedTwice is why a server does not listen.
var errExtendedTwice = errors.New("http3: the server has WebTransport enabled twice")

// ExtendTransport has a *Transport take part in an extension.
func (extensionHost) ExtendTransport(transport any, e h3ext.Extension) {
	transport.(*Transport).extension = e
}

// Connect sends an extended CONNECT request by a *Transport.
func (extensionHost) Connect(ctx context.Context, transport any, req *http.Request) (h3ext.Tunnel, *http.Response, error) {
	t, resp, err := transport.(*Transport).Connect(ctx, req)
	if t == nil {
		return nil, resp, err
	}
	return eventTunnel{t}, resp, err
}

// extensionContextKey is the key of a connection's extension in its requests' contexts.
type extensionContextKey struct{}

// Conn returns what the server's extension made for a request's connection.
func (extensionHost) Conn(r *http.Request) h3ext.Conn {
	c, _ := r.Context().Value(extensionContextKey{}).(h3ext.Conn)
	return c
}

// Accept accepts an extended CONNECT request.
func (extensionHost) Accept(w http.ResponseWriter, status int) (h3ext.Tunnel, error) {
	t, err := acceptTunnel(w, status)
	if err != nil {
		return nil, err
	}
	return eventTunnel{t}, nil
}

// Refuse resets an extended CONNECT request.
func (extensionHost) Refuse(w http.ResponseWriter, code h3.ErrorCode) {
	if x, err := exchangeOf(w); err == nil {
		cancel(x.Ref, code)
	}
}

// Error is describe.
func (extensionHost) Error(err error) error { return describe(err) }
