// Package http3test has a server for tests of HTTP/3, in the manner of net/http/httptest:
//
//	srv := http3test.NewServer(handler)
//	defer srv.Close()
//	resp, err := srv.Client().Get(srv.URL + "/hello")
//
// It listens on a free port of the loopback interface. With a quictest.Network it needs no
// port, and works within the bubbles of testing/synctest:
//
//	srv := http3test.NewUnstartedServer(handler)
//	srv.Network = quictest.NewNetwork(quictest.Link{Delay: 50 * time.Millisecond})
//	srv.Start()
//
// For WebTransport, enable it before the server starts, and dial by its route:
//
//	webtransport.Enable(srv.Config, nil)
//	srv.Start()
//	dialer := &webtransport.Dialer{TLSClientConfig: srv.TLSClientConfig(), Route: srv.Route}
package http3test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// patience is how long Close waits for requests that run.
const patience = 5 * time.Second

// Addresses in a Network, of those for documentation (RFC 5737).
const (
	serverAddr = "192.0.2.1:443"
	clientAddr = "192.0.2.2:443"
)

// hosts are what a Server's certificate is for, unless Config has one.
var hosts = []string{"localhost", "127.0.0.1", "::1", "example.com", "*.example.com"}

// Server serves HTTP/3, and nothing over TCP: for that there are httptest.Server and
// http3.Attach. Its methods may be called from any goroutine once it has started.
type Server struct {
	// URL is where the server is, without a slash in the end, from Start on.
	URL string
	// Config is what serves. Until Start it may be changed; its Addr is not used, and
	// without a TLSConfig it gets a certificate for localhost, example.com and
	// *.example.com.
	Config *http3.Server
	// Network, if set before Start, is the network in memory on which the server listens
	// and its clients dial, as 192.0.2.1:443 and 192.0.2.2:443. It is for one Server.
	Network *quictest.Network

	addr      string
	transport *quic.Transport // the server's
	roots     *x509.CertPool
	served    chan struct{} // closed when Config serves no more

	mu     sync.Mutex
	from   *quic.Transport // the clients', in a Network
	client *http.Client
	closed bool
}

// NewServer returns a server that has started. Call Close when it is no longer needed. Like
// httptest.NewServer it panics if there is no socket to be had.
func NewServer(handler http.Handler) *Server {
	s := NewUnstartedServer(handler)
	s.Start()
	return s
}

// NewUnstartedServer returns a server that Start starts, after its fields have been changed.
func NewUnstartedServer(handler http.Handler) *Server {
	return &Server{Config: &http3.Server{Handler: handler}}
}

// Start starts a server of NewUnstartedServer's. It panics if that cannot be done.
func (s *Server) Start() {
	if s.URL != "" {
		panic("http3test: the server has started already")
	}
	if err := s.start(); err != nil {
		panic(fmt.Sprintf("http3test: %v", err))
	}
}

func (s *Server) start() error {
	if err := s.certify(); err != nil {
		return err
	}
	conf := quic.TransportConfig{Loops: 1}
	if s.Config.QUICTransportConfig != nil {
		conf = *s.Config.QUICTransportConfig
	}
	if conf.Logger == nil {
		conf.Logger = s.Config.Logger
	}
	addr := "127.0.0.1:0"
	if s.Network != nil {
		addr, conf.Sockets = "", []net.PacketConn{s.Network.Listen(serverAddr)}
	}
	transport, err := quic.NewTransport(addr, &conf)
	if err != nil {
		return err
	}
	ln, err := s.Config.ListenOn(transport)
	if err != nil {
		transport.Close()
		return err
	}
	s.transport, s.addr, s.served = transport, transport.LocalAddr().String(), make(chan struct{})
	s.URL = "https://" + s.addr
	if s.Network != nil {
		s.URL = "https://example.com" // the certificate is for no address there
	}
	go func() {
		defer close(s.served)
		s.Config.Serve(ln) // until Close
	}()
	return nil
}

// certify gives Config a certificate if it has none, and roots what the server shows.
func (s *Server) certify() error {
	if s.Config.TLSConfig == nil {
		s.Config.TLSConfig = new(tls.Config)
	}
	conf := s.Config.TLSConfig
	if len(conf.Certificates) == 0 && conf.GetCertificate == nil && conf.GetConfigForClient == nil {
		cert, _, err := devcert.Make(time.Now(), hosts...)
		if err != nil {
			return err
		}
		conf = conf.Clone()
		conf.Certificates = []tls.Certificate{cert}
		s.Config.TLSConfig = conf
	}
	s.roots = x509.NewCertPool()
	for _, cert := range conf.Certificates {
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			return err
		}
		s.roots.AddCert(leaf)
	}
	return nil
}

// TLSClientConfig returns a new configuration of clients that trust the server: the
// Certificates of Config's TLSConfig. Those that its callbacks choose, its user adds to RootCAs.
func (s *Server) TLSClientConfig() *tls.Config { return &tls.Config{RootCAs: s.roots} }

// Route leads every origin to the server, whatever its name: it is for the fields Route of
// http3.Transport and webtransport.Dialer.
func (s *Server) Route(context.Context, string) (on *quic.Transport, addr string, err error) {
	if s.Network == nil {
		return nil, s.addr, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, "", errors.New("http3test: the server was closed")
	}
	if s.from == nil {
		conf := &quic.TransportConfig{Sockets: []net.PacketConn{s.Network.Listen(clientAddr)}}
		if s.from, err = quic.NewTransport("", conf); err != nil {
			return nil, "", err
		}
	}
	return s.from, s.addr, nil
}

// Client returns the client of this server, always the same, whose Transport is an
// *http3.Transport. It trusts the server's certificate, and sends all requests to the
// server, whatever their host. Close closes its connections.
func (s *Server) Client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.client = &http.Client{Transport: &http3.Transport{TLSClientConfig: s.TLSClientConfig(), Route: s.Route}}
	}
	return s.client
}

// Close lets requests that run end, for some seconds, ends the others, and returns when
// the server is gone. Calling it again does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	closed, client, from := s.closed, s.client, s.from
	s.closed = true
	s.mu.Unlock()
	if closed || s.transport == nil {
		return
	}
	if client != nil {
		client.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.Config.Shutdown(ctx) != nil {
		s.Config.Close()
	}
	<-s.served
	if client != nil {
		if transport, ok := client.Transport.(*http3.Transport); ok {
			transport.Close()
		}
	}
	if from != nil {
		from.Close()
	}
	s.transport.Close()
}
