package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
)

// serveTCP serves a TCP listener over HTTP/1.1 and HTTP/2, by net/http, with the
// same handler and certificate, and closes it in the end.
func (s *Server) serveTCP(ln net.Listener) error {
	defer ln.Close()
	conf, err := s.tlsConfig(ln.Addr().String())
	if err != nil {
		return err
	}
	tcp, err := s.overTCP(conf)
	if err != nil {
		return err
	}
	if err := tcp.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http3: serving %s over TCP: %w", ln.Addr(), err)
	}
	return http.ErrServerClosed
}

// overTCP returns the server of all TCP listeners.
func (s *Server) overTCP(conf *tls.Config) (*http.Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return nil, http.ErrServerClosed
	}
	return s.makeTCP(conf), nil
}

// newTCP makes the server of TCP listeners. conf may be nil for one that serves none.
func (s *Server) newTCP(conf *tls.Config) *http.Server {
	tcp := &http.Server{
		Addr:           s.Addr,
		Handler:        s.Advertise(s.handler()),
		TLSConfig:      conf.Clone(),
		MaxHeaderBytes: s.maxHeaderBytes(),
		IdleTimeout:    s.IdleTimeout,

		ReadHeaderTimeout: s.ReadHeaderTimeout,
		ReadTimeout:       s.ReadTimeout,
		WriteTimeout:      s.WriteTimeout,
		ErrorLog:          slog.NewLogLogger(s.logger().Handler(), slog.LevelWarn),

		DisableGeneralOptionsHandler: s.DisableGeneralOptionsHandler,
	}
	if f := headerValueCount(tcp); f.IsValid() {
		f.SetInt(int64(s.maxHeaderValueCount()))
	}
	if base := s.BaseContext; base != nil {
		tcp.BaseContext = func(ln net.Listener) context.Context { return base(ln.Addr()) }
	}
	return tcp
}

// headerValueCount returns http.Server.MaxHeaderValueCount, which newer versions of Go
// have.
func headerValueCount(srv *http.Server) reflect.Value {
	return reflect.ValueOf(srv).Elem().FieldByName("MaxHeaderValueCount")
}
