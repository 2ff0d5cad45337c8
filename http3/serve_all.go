package http3

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
)

// ListenAndServe serves a handler over HTTP/1.1 and HTTP/2 on TCP and over HTTP/3
// on UDP, at the same port, with a self-signed certificate for localhost. TCP's
// responses say in Alt-Svc that HTTP/3 is there. It is for development; it
// returns when listening or serving fails.
func ListenAndServe(addr string, handler http.Handler) error {
	return (&Server{Addr: addr, Handler: handler}).ListenAndServeAll()
}

// ListenAndServeTLS is ListenAndServe with a certificate and its key in PEM
// files.
func ListenAndServeTLS(addr, certFile, keyFile string, handler http.Handler) error {
	cert, err := devcert.Load(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("http3: %w", err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	return (&Server{Addr: addr, Handler: handler, TLSConfig: conf}).ListenAndServeAll()
}

// ListenAndServeAll is like the function ListenAndServe. After Shutdown or Close
// it returns http.ErrServerClosed.
func (s *Server) ListenAndServeAll() error {
	ports, err := s.ListenAll(s.Addr)
	if err != nil {
		return err
	}
	return s.ServeAll(ports)
}

// Ports are listeners on one port, of TCP and of UDP.
type Ports struct {
	TCP net.Listener
	UDP *quic.Listener
}

// Addr returns the address of both.
func (p *Ports) Addr() net.Addr { return p.TCP.Addr() }

// Close closes both.
func (p *Ports) Close() error { return errors.Join(p.TCP.Close(), p.UDP.Close()) }

// portAttempts is how often ListenAll looks for a port that is free on UDP as
// well when any port will do.
const portAttempts = 10

// ListenAll listens on an address, TCP and UDP, for ServeAll. With port 0 both
// get the same free one.
func (s *Server) ListenAll(addr string) (*Ports, error) {
	if addr == "" {
		addr = ":443"
	}
	for attempt := 1; ; attempt++ {
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("http3: %w", err)
		}
		udp, err := s.Listen(tcp.Addr().String())
		if err == nil {
			return &Ports{tcp, udp}, nil
		}
		_ = tcp.Close()
		if _, port, _ := net.SplitHostPort(addr); port != "0" || attempt == portAttempts {
			return nil, err
		}
	}
}

// ServeAll serves both listeners until Shutdown or Close, when it returns
// http.ErrServerClosed, and closes them in the end. When serving one of them
// fails, the server is closed and the error returned.
func (s *Server) ServeAll(p *Ports) error {
	errs := make(chan error, 2)
	go func() { errs <- s.ServeTCP(p.TCP) }()
	go func() { errs <- s.Serve(p.UDP) }()
	first := <-errs
	if !errors.Is(first, http.ErrServerClosed) {
		_ = s.Close()
	}
	if second := <-errs; errors.Is(first, http.ErrServerClosed) {
		return second
	}
	return first
}

// ServeTCP serves a TCP listener over HTTP/1.1 and HTTP/2, by net/http, with the
// same handler and certificate, and closes it in the end.
func (s *Server) ServeTCP(ln net.Listener) error {
	defer ln.Close()
	conf, err := s.tlsConfig()
	if err != nil {
		return err
	}
	tcp := &http.Server{
		Handler:        s.Advertise(s.handler()),
		TLSConfig:      conf.Clone(),
		MaxHeaderBytes: s.maxHeaderBytes(),
		IdleTimeout:    s.IdleTimeout,

		ReadHeaderTimeout: s.ReadHeaderTimeout,
		ReadTimeout:       s.ReadTimeout,
		WriteTimeout:      s.WriteTimeout,
		ErrorLog:          slog.NewLogLogger(s.logger().Handler(), slog.LevelWarn),
	}
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		return http.ErrServerClosed
	}
	s.tcp = tcp
	s.mu.Unlock()
	if err := tcp.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http3: serving %s over TCP: %w", ln.Addr(), err)
	}
	return http.ErrServerClosed
}
