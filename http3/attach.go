package http3

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"
)

// Attach has an http.Server serve HTTP/3 as well, with its handler, limits and
// timeouts, on UDP at the address and port of each TCP listener that it serves:
//
//	srv := &http.Server{Addr: ":443", Handler: handler, TLSConfig: conf}
//	err := http3.Attach(srv, nil)
//	…
//	err = srv.ListenAndServeTLS("", "")
//
// The responses over TCP advertise HTTP/3. srv.Shutdown shuts HTTP/3 down too but,
// as with all that is registered by RegisterOnShutdown, does not wait for it; who
// wants to wait, or to call srv.Close, passes an s and calls the same of it.
//
// Attach is to be called once, before srv serves. The certificate must be in
// srv.TLSConfig: that of files is not known to others. What http.Server has no
// field for is taken from s, which may be nil. A UDP port that cannot be had is
// told to srv.ErrorLog, and srv goes on without HTTP/3.
//
// Where net/http lets Protocols have HTTP/3 (golang/go#77440), its hook is used
// instead, and certificates from files will do.
func Attach(srv *http.Server, s *Server) error {
	if s == nil {
		s = new(Server)
	}
	s.inherit(srv)
	handler := srv.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	s.Handler = handler
	srv.Handler = s.Advertise(handler)
	if enableHTTP3(srv) {
		s.hook(srv)
		return nil
	}
	if !hasCertificate(srv.TLSConfig) {
		return errors.New("http3: Attach needs a certificate in http.Server.TLSConfig")
	}
	s.TLSConfig = srv.TLSConfig
	base := srv.BaseContext
	srv.BaseContext = func(ln net.Listener) context.Context { // ln is about to be served
		if err := s.listenBeside(srv, ln.Addr().String()); err != nil {
			logTo(srv, err)
		}
		if base != nil {
			return base(ln)
		}
		return context.Background()
	}
	srv.RegisterOnShutdown(func() { s.shutdownWithin(attachedShutdown) })
	return nil
}

// attachedShutdown is how long an attached server may take to shut down when
// nobody says how long it may: what Shutdown's callers usually wait.
const attachedShutdown = 10 * time.Second

// inherit takes over the settings of an http.Server that s has not itself.
func (s *Server) inherit(srv *http.Server) {
	s.MaxHeaderBytes = cmp.Or(s.MaxHeaderBytes, srv.MaxHeaderBytes)
	s.ReadHeaderTimeout = cmp.Or(s.ReadHeaderTimeout, srv.ReadHeaderTimeout)
	s.ReadTimeout = cmp.Or(s.ReadTimeout, srv.ReadTimeout)
	s.WriteTimeout = cmp.Or(s.WriteTimeout, srv.WriteTimeout)
	s.IdleTimeout = cmp.Or(s.IdleTimeout, srv.IdleTimeout)
}

// listenBeside serves UDP at an address.
func (s *Server) listenBeside(srv *http.Server, addr string) error {
	ln, err := s.Listen(addr)
	if err != nil {
		return err
	}
	s.track(ln)
	go func() {
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
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
