package http3

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"

	"github.com/godwit-quic/godwit/quic"
)

// ServerContextKey is the key, in the context of a request that came over QUIC, of the
// *Server that serves it. http.ServerContextKey has an *http.Server for all requests, as
// net/http promises: the one that was given to Attach, or one with the settings of the
// Server, by which it serves TCP.
var ServerContextKey any = serverContextKey{}

type serverContextKey struct{}

// connContext is what the contexts of a connection's requests derive from.
type connContext struct {
	mu  sync.Mutex
	ctx context.Context // nil until made
}

// requestBase returns what the contexts of requests derive from, nil for nothing. It is
// called in handlers' goroutines, and may block.
func (c *serverConn) requestBase() context.Context {
	derive := c.srv.ConnContext
	if derive == nil {
		return c.base()
	}
	c.context.CompareAndSwap(nil, new(connContext))
	made := c.context.Load()
	made.mu.Lock()
	defer made.mu.Unlock()
	if made.ctx == nil {
		base := c.base()
		if base == nil {
			base = context.Background()
		}
		base = context.WithValue(base, http.ServerContextKey, c.srv.httpServer())
		made.ctx = notNil(derive(base, c.qc), "ConnContext")
	}
	return made.ctx
}

// notNil panics, as net/http does, when a function of the user's returns no context.
func notNil(ctx context.Context, whose string) context.Context {
	if ctx == nil {
		panic("http3: " + whose + " returned a nil context")
	}
	return ctx
}

// httpServer returns the server as net/http knows it.
func (s *Server) httpServer() *http.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attached != nil {
		return s.attached
	}
	return s.makeTCP(s.tlsConf)
}

// makeTCP makes the server of TCP listeners if there is none. The lock is held.
func (s *Server) makeTCP(conf *tls.Config) *http.Server {
	if s.tcp == nil {
		s.tcp = s.newTCP(conf)
	}
	return s.tcp
}

// RequestConn returns the QUIC connection by which a request came to a Server, for its
// Stats, addresses and ConnectionState, or to close it. It is nil for a request over TCP. Its
// streams are HTTP/3's: opening or accepting one breaks the protocol.
func RequestConn(r *http.Request) *quic.Conn {
	c, _ := r.Context().Value(connContextKey{}).(*quic.Conn)
	return c
}

// connContextKey is the key of a request's connection.
type connContextKey struct{}
