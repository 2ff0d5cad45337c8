package http3

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
)

// hookName is what net/http calls HTTP/3 where it has hooks for it
// (golang/go#77440).
const hookName = "http/3"

// enableHTTP3 has an http.Server want HTTP/3. It reports false where net/http does
// not let it.
func enableHTTP3(srv *http.Server) bool {
	protocols := srv.Protocols
	if protocols == nil {
		protocols = new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	p, ok := any(protocols).(interface{ SetHTTP3(bool) })
	if ok {
		p.SetHTTP3(true)
		srv.Protocols = protocols
	}
	return ok
}

// hookHandler is what net/http gives to the hook: a handler that tells the rest.
type hookHandler interface {
	http.Handler
	Addr() string
	TLSConfig() *tls.Config
	BaseContext() context.Context
	// ListenErrHook must be called, with nil when listening.
	ListenErrHook(err error)
	// ShutdownContext is that of http.Server.Shutdown, nil before.
	ShutdownContext() context.Context
}

// hook has net/http begin and end HTTP/3.
func (s *Server) hook(srv *http.Server) {
	if srv.TLSNextProto == nil {
		srv.TLSNextProto = make(map[string]func(*http.Server, *tls.Conn, http.Handler))
	}
	srv.TLSNextProto[hookName] = func(srv *http.Server, _ *tls.Conn, h http.Handler) {
		if h, ok := h.(hookHandler); ok {
			s.serveHooked(srv, h)
		}
	}
}

func (s *Server) serveHooked(srv *http.Server, h hookHandler) {
	s.inherit(srv)
	s.TLSConfig = cmp.Or(s.TLSConfig, h.TLSConfig())
	srv.RegisterOnShutdown(func() {
		ctx := h.ShutdownContext()
		if ctx == nil {
			s.shutdownWithin(attachedShutdown)
			return
		}
		_ = s.Shutdown(ctx)
		_ = s.Close()
	})
	h.ListenErrHook(s.listenBeside(srv, h.Addr(), h.BaseContext()))
}
