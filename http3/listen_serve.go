package http3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Serve serves HTTP/3 on a listener made by Listen or ListenOn of the same server, and
// closes it in the end. After Shutdown or Close it returns http.ErrServerClosed. When the
// listener was closed, or its socket has failed, the error is a net.ErrClosed, as with
// http.Server.Serve, and connections that there are go on.
func (s *Server) Serve(ln *quic.Listener) error {
	defer s.untrack(ln)
	if !s.track(ln) {
		_ = ln.Close()
		return http.ErrServerClosed
	}
	// Connections come to newConn; Accept returns when the listener is closed.
	qc, err := ln.Accept(context.Background())
	switch {
	case s.closing.Load():
		return http.ErrServerClosed // who has stopped it closes the listener
	case err != nil:
		_ = ln.Close()
		return fmt.Errorf("http3: serving %s: %w", ln.Addr(), err)
	}
	_ = qc.CloseWithError(uint64(ErrCodeInternalError), "")
	_ = ln.Close()
	return errors.New("http3: the listener was not made by Listen or ListenOn of a Server")
}

// listenFunc makes a listener of event-driven connections.
type listenFunc func(conf *quic.Config, newHandler func(event.Turn) event.Handler) (*quic.Listener, error)

// listenQUIC listens for requests whose contexts derive from base, if that is not nil,
// or else from what BaseContext says.
func (s *Server) listenQUIC(listen listenFunc, base context.Context) (*quic.Listener, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if base != nil || s.BaseContext == nil {
		return listen(s.quicConfig(func() context.Context { return base }))
	}
	var ctx context.Context
	known := make(chan struct{}) // the first connection may come before the address is
	defer close(known)
	ln, err := listen(s.quicConfig(func() context.Context { <-known; return ctx }))
	if err == nil {
		ctx = notNil(s.BaseContext(ln.Addr()), "BaseContext")
	}
	return ln, err
}

// track counts a listener, and advertises it, unless the server is closing. It may
// be called before Serve: what is served over TCP at the same time should tell of
// HTTP/3 from the first response on.
func (s *Server) track(ln *quic.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	if s.listeners == nil {
		s.listeners = make(map[*quic.Listener]struct{})
	}
	s.listeners[ln] = struct{}{}
	if value := altSvcOf(ln); value != nil {
		s.altSvc.Store(value)
	}
	return true
}

// altSvcOf returns what tells of HTTP/3 at a listener, nil if it has no port.
func altSvcOf(ln *quic.Listener) *string {
	addr, ok := ln.Addr().(*net.UDPAddr)
	if !ok {
		return nil
	}
	value := altSvcAt(addr.Port)
	return &value
}

func (s *Server) untrack(ln *quic.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.listeners[ln]; !there {
		return
	}
	delete(s.listeners, ln)
	var value *string
	for other := range s.listeners {
		value = cmp.Or(altSvcOf(other), value)
	}
	s.altSvc.Store(value)
}
