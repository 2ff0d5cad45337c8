package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"syscall"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
)

// ListenAndServe serves a handler over HTTP/1.1 and HTTP/2 on TCP and over HTTP/3
// on UDP, at the same port, with a self-signed certificate for localhost. TCP's
// responses say in Alt-Svc that HTTP/3 is there. Clients that keep it waiting are given
// up, as Server recommends. It is for development; it returns when listening or serving
// fails.
func ListenAndServe(addr string, handler http.Handler) error {
	return patient(&Server{Addr: addr, Handler: handler}).ListenAndServeAll()
}

// ListenAndServeTLS is ListenAndServe with a certificate and its key in PEM
// files.
func ListenAndServeTLS(addr, certFile, keyFile string, handler http.Handler) error {
	cert, err := devcert.Load(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("http3: %w", err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	return patient(&Server{Addr: addr, Handler: handler, TLSConfig: conf}).ListenAndServeAll()
}

// patient gives a server the timeouts that its documentation recommends.
func patient(s *Server) *Server {
	s.ReadHeaderTimeout = 10 * time.Second
	s.IdleTimeout = 2 * time.Minute
	s.MinReadRate, s.MinWriteRate = 240, 240
	return s
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
	// TCP6 and UDP6 are at ::1, when the others are at localhost's other address;
	// nil otherwise. Chromium opens WebTransport sessions with localhost at ::1
	// only, and most clients try it first.
	TCP6 net.Listener
	UDP6 *quic.Listener
}

// Addr returns the address of TCP and UDP, whose port the others share.
func (p *Ports) Addr() net.Addr { return p.TCP.Addr() }

// Close closes them.
func (p *Ports) Close() error {
	err := errors.Join(p.TCP.Close(), p.UDP.Close())
	if p.UDP6 != nil {
		err = errors.Join(err, p.TCP6.Close(), p.UDP6.Close())
	}
	return err
}

// portAttempts is how often ListenAll looks for a port that is free on UDP as
// well when any port will do.
const portAttempts = 10

// ListenAll listens on an address, TCP and UDP, for ServeAll. With port 0 all get
// the same free one.
func (s *Server) ListenAll(addr string) (*Ports, error) {
	if addr == "" {
		addr = ":443"
	}
	for attempt := 1; ; attempt++ {
		ports, err := s.listenOnce(addr)
		if err == nil {
			return ports, nil
		}
		if _, port, _ := net.SplitHostPort(addr); port != "0" || attempt == portAttempts {
			return nil, err
		}
	}
}

// listenOnce is ListenAll for a port that may be free on TCP only.
func (s *Server) listenOnce(addr string) (*Ports, error) {
	tcp, udp, err := s.listenPair(addr)
	if err != nil {
		return nil, err
	}
	p := &Ports{TCP: tcp, UDP: udp}
	if addr6, ok := otherLocalhost(addr, tcp.Addr()); ok {
		p.TCP6, p.UDP6, err = s.listenPair(addr6)
		if errors.Is(err, syscall.EADDRINUSE) {
			_ = p.Close()
			return nil, err
		}
	}
	return p, nil
}

// otherLocalhost returns the address to listen on besides at, when that is
// localhost's first one. If it is in use, clients would talk to somebody else; all
// other errors mean that there is no IPv6, and then there is no need for it.
func otherLocalhost(addr string, at net.Addr) (string, bool) {
	host, _, _ := net.SplitHostPort(addr)
	ip, port, err := net.SplitHostPort(at.String())
	if err != nil || host != "localhost" || net.ParseIP(ip).To4() == nil {
		return "", false
	}
	return net.JoinHostPort("::1", port), true
}

// listenPair listens on an address, TCP and UDP.
func (s *Server) listenPair(addr string) (net.Listener, *quic.Listener, error) {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("http3: %w", err)
	}
	udp, err := s.Listen(sameAddr(addr, tcp.Addr()))
	if err != nil {
		_ = tcp.Close()
		return nil, nil, err
	}
	return tcp, udp, nil
}

// sameAddr returns the address to listen on besides at, which is what addr led to: at
// itself, but for an IP address as it was given, since at may lack its zone.
func sameAddr(addr string, at net.Addr) string {
	host, _, err := net.SplitHostPort(addr)
	_, port, atErr := net.SplitHostPort(at.String())
	if _, noIP := netip.ParseAddr(host); err != nil || atErr != nil || noIP != nil {
		return at.String()
	}
	return net.JoinHostPort(host, port)
}

// ServeAll serves all listeners until Shutdown or Close, when it returns
// http.ErrServerClosed, and closes them in the end. When serving one of them
// fails, the server is closed and the error returned.
func (s *Server) ServeAll(p *Ports) error {
	s.track(p.UDP)
	serve := []func() error{
		func() error { return s.ServeTCP(p.TCP) },
		func() error { return s.Serve(p.UDP) },
	}
	if p.UDP6 != nil {
		serve = append(serve, func() error { return s.ServeTCP(p.TCP6) }, func() error { return s.Serve(p.UDP6) })
	}
	return s.serveEach(serve)
}

// serveEach serves by each of the functions, as ServeAll does.
func (s *Server) serveEach(serve []func() error) error {
	errs := make(chan error, len(serve))
	for _, f := range serve {
		go func() { errs <- f() }()
	}
	result := http.ErrServerClosed
	for range serve {
		if err := <-errs; errors.Is(result, http.ErrServerClosed) && !errors.Is(err, http.ErrServerClosed) {
			result = err
			_ = s.Close()
		}
	}
	return result
}

// ServeTCP serves a TCP listener over HTTP/1.1 and HTTP/2, by net/http, with the
// same handler and certificate, and closes it in the end.
func (s *Server) ServeTCP(ln net.Listener) error {
	defer ln.Close()
	conf, err := s.tlsConfig()
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
