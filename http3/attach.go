package http3

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// Attach has an http.Server serve HTTP/3 as well, on UDP at the address and port of
// each TCP listener that it serves:
//
//	srv := &http.Server{Addr: ":443", Handler: handler}
//	err := http3.Attach(srv, nil)
//	…
//	err = srv.ListenAndServeTLS("cert.pem", "key.pem")
//
// The handler is srv's, as it is at each request. Limits, timeouts, contexts, certificates and
// the log are srv's as well, as they are when it begins to serve, but for those of s that are
// not zero; what http.Server has no field for, like MinReadRate and QUICConfig, is taken from
// s. It may be nil; its Addr, Handler and DisableTCP are not used. What becomes of each field
// of srv is in https://github.com/godwit-quic/godwit/blob/main/docs/nethttp.md. The responses
// over TCP advertise HTTP/3. srv.ConnContext is called before a connection's first request
// with a net.Conn that has addresses and no bytes, and a method QUIC() *quic.Conn.
//
// HTTP/3 ends with srv: srv.Close closes it at once, and srv.Shutdown shuts it down, though
// neither waits for that. Handlers have ten seconds to finish then. A program that wants to
// wait, or to give them another time, or that closes nothing but srv's listeners, as
// httptest.Server does, passes an s and calls s.Shutdown or s.Close as well.
//
// Attach is to be called once, before srv serves; that is its only error. If there is no
// HTTP/3 at an address, as its UDP port cannot be had or no certificate is to be found
// (srv.Serve of a listener that wraps another one of crypto/tls), srv goes on without. It
// says so to srv.ErrorLog, and s.Transports lacks the address.
//
// Where net/http lets Protocols have HTTP/3 (golang/go#77440), its hook is used
// instead.
func Attach(srv *http.Server, s *Server) error {
	if _, again := srv.Handler.(*advertiser); again {
		return errors.New("http3: Attach was called before")
	}
	if s == nil {
		s = new(Server)
	}
	s.attached = srv
	s.Handler = attachedHandler{srv}
	s.advertise(srv)
	if enableHTTP3(srv) {
		s.hook(srv)
		return nil
	}
	end := &endListener{ended: make(chan struct{})}
	s.mu.Lock()
	s.end = end
	s.mu.Unlock()
	var mu sync.Mutex // several listeners may be about to be served
	served := false
	var conf *tls.Config // srv's, which net/http may write to when it serves
	base := srv.BaseContext
	srv.BaseContext = func(ln net.Listener) context.Context { // ln is about to be served
		if ln == end {
			return context.Background()
		}
		var ctx context.Context
		if base != nil {
			ctx = base(ln)
		}
		mu.Lock()
		defer mu.Unlock()
		if !served {
			served, conf = true, srv.TLSConfig
			s.inherit(srv)
			go s.endWith(srv, end)
		}
		if !hasCertificate(s.TLSConfig) { // the listener before was one without TLS
			s.TLSConfig = cmp.Or(listenerConfig(ln), conf)
		}
		s.advertise(srv) // a handler that was set in the meantime
		if err := s.listenBeside(srv, ln.Addr().String(), ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
			logTo(srv, err)
		}
		if ctx == nil && base == nil {
			return context.Background()
		}
		return ctx
	}
	return nil
}

// advertise has the handler that srv has now advertise HTTP/3.
func (s *Server) advertise(srv *http.Server) {
	switch srv.Handler.(type) {
	case nil:
		srv.Handler = s.Advertise(http.DefaultServeMux)
	case *advertiser:
	default:
		srv.Handler = s.Advertise(srv.Handler)
	}
}

// attachedHandler is the handler that an http.Server has at the time of a request.
type attachedHandler struct{ srv *http.Server }

func (h attachedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.srv.Handler != nil {
		h.srv.Handler.ServeHTTP(w, r)
		return
	}
	http.DefaultServeMux.ServeHTTP(w, r)
}

// attachedShutdown is how long an attached server may take to shut down when
// nobody says how long it may: what Shutdown's callers usually wait.
const attachedShutdown = 10 * time.Second

// inherit takes over the settings of an http.Server that s has not itself, when it is about
// to serve; but for those of TLS.
func (s *Server) inherit(srv *http.Server) {
	s.MaxHeaderBytes = cmp.Or(s.MaxHeaderBytes, max(srv.MaxHeaderBytes, 0)) // net/http takes less for its default
	if count := headerValueCount(srv); count.IsValid() {
		s.MaxHeaderValueCount = cmp.Or(s.MaxHeaderValueCount, max(int(count.Int()), 0))
	}
	s.ReadHeaderTimeout = cmp.Or(s.ReadHeaderTimeout, srv.ReadHeaderTimeout)
	s.ReadTimeout = cmp.Or(s.ReadTimeout, srv.ReadTimeout)
	s.WriteTimeout = cmp.Or(s.WriteTimeout, srv.WriteTimeout)
	s.IdleTimeout = cmp.Or(s.IdleTimeout, srv.IdleTimeout)
	s.DisableGeneralOptionsHandler = s.DisableGeneralOptionsHandler || srv.DisableGeneralOptionsHandler
	if s.Logger == nil && srv.ErrorLog != nil {
		s.Logger = slog.New(slog.NewTextHandler(errorLog{srv.ErrorLog}, errorLogOptions))
	}
	if f := srv.ConnContext; f != nil && s.ConnContext == nil {
		s.ConnContext = func(ctx context.Context, c *quic.Conn) context.Context { return f(ctx, attachedConn{c}) }
	}
}

// errorLog writes to an http.Server's ErrorLog, which has a time of its own.
type errorLog struct{ log *log.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	l.log.Print(string(p))
	return len(p), nil
}

var errorLogOptions = &slog.HandlerOptions{
	Level: slog.LevelWarn,
	ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	},
}

// listenBeside serves UDP at an address; ctx is what its requests' contexts derive from.
func (s *Server) listenBeside(srv *http.Server, addr string, ctx context.Context) error {
	if !hasCertificate(s.TLSConfig) {
		return fmt.Errorf("http3: no certificate is known for %s, so that there is no HTTP/3: set http.Server.TLSConfig", addr)
	}
	ln := &Listener{server: s}
	if err := ln.addUDP(addr, ctx); err != nil {
		return err
	}
	s.track(ln.udp[0])
	go func() {
		if err := s.Serve(ln.udp[0]); !errors.Is(err, http.ErrServerClosed) {
			logTo(srv, err)
		}
	}()
	return nil
}

// shutdownWithin is Shutdown, and then Close.
func (s *Server) shutdownWithin(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_ = s.Shutdown(ctx)
	_ = s.Close()
}

func logTo(srv *http.Server, err error) {
	if srv.ErrorLog != nil {
		srv.ErrorLog.Print(err)
		return
	}
	log.Print(err)
}
