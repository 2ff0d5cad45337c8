package http3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// NextProto is the protocol's name in TLS (RFC 9114, Section 3.1). Servers and transports
// set it themselves.
const NextProto = "h3"

// ListenAndServe is Server.ListenAndServe of a server with an address, a handler and the
// limits that Server recommends. It speaks TLS, unlike net/http's: as it has no certificate,
// it makes one, and fails at addresses that other machines can reach. So it is for
// development; elsewhere call ListenAndServeTLS.
func ListenAndServe(addr string, handler http.Handler) error {
	return patient(&Server{Addr: addr, Handler: handler}).ListenAndServe()
}

// ListenAndServeTLS is ListenAndServe at any address, with a certificate, its chain, and its
// key in PEM files.
func ListenAndServeTLS(addr, certFile, keyFile string, handler http.Handler) error {
	return patient(&Server{Addr: addr, Handler: handler}).ListenAndServeTLS(certFile, keyFile)
}

// patient gives a server the limits that its documentation recommends.
func patient(s *Server) *Server {
	s.ReadHeaderTimeout = 10 * time.Second
	s.IdleTimeout = 2 * time.Minute
	s.MinReadRate, s.MinWriteRate = 240, 240
	return s
}

// ListenAndServe listens on Addr, as ListenAll does, and serves: HTTP/1.1 and HTTP/2 on TCP,
// whose responses say in Alt-Svc that there is HTTP/3, and HTTP/3 on UDP. After Shutdown
// or Close it returns http.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	ln, err := s.ListenAll(s.Addr)
	if err != nil {
		return err
	}
	return ln.Serve()
}

// ListenAndServeTLS is ListenAndServe with a certificate, and its chain, and its key in
// PEM files, which take the place of TLSConfig's Certificates. As in net/http, the names
// may be empty where TLSConfig has certificates.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	if certFile != "" || keyFile != "" || !hasCertificate(s.TLSConfig) {
		cert, err := devcert.Load(certFile, keyFile)
		if err != nil {
			return fmt.Errorf("http3: %w", err)
		}
		s.mu.Lock()
		s.certificate = &cert
		s.mu.Unlock()
	}
	return s.ListenAndServe()
}

// portAttempts is how often ListenAll looks for a port that is free on UDP as well when
// any port will do.
const portAttempts = 10

// ListenAll listens on an address like ":443", which the empty string stands for, on TCP
// and UDP at the same port, or with DisableTCP on UDP alone. Port 0 stands for one that is
// free on both. At "localhost" that is done at 127.0.0.1 and ::1, as clients try either,
// Chromium's WebTransport nothing but the latter. The certificate is TLSConfig's; without
// any, one is made if the address is localhost or a loopback address, and otherwise that
// is an error. So are settings that cannot work, of which the error names the field. After
// Shutdown or Close it is http.ErrServerClosed.
func (s *Server) ListenAll(addr string) (*Listener, error) {
	if addr == "" {
		addr = ":443"
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if _, err := s.tlsConfig(addr); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		ln, err := s.listenPort(addr)
		if err == nil {
			return ln, nil
		}
		if _, port, _ := net.SplitHostPort(addr); port != "0" || attempt == portAttempts {
			return nil, err
		}
	}
}

// Listen listens for HTTP/3 alone, on UDP, at one address: an empty one stands for ":443",
// port 0 for a free port, and of a name's addresses, localhost's included, an IPv4 one is
// taken. Certificates and errors are as with ListenAll. What it returns is for Serve, and
// its Transport has the statistics. Programs that serve TCP as well call ListenAll.
func (s *Server) Listen(addr string) (*quic.Listener, error) {
	if addr == "" {
		addr = ":443"
	}
	return s.listenUDP(addr, nil)
}

// ListenOn is Listen on a transport that exists already. Connections may be dialled from it
// as well, but it must not have another listener. It stays open when the listener is closed.
// Set TransportConfig.Loops for a server of many clients: a transport that quic.NewTransport
// made has one event loop otherwise, where Listen has one for each processor.
func (s *Server) ListenOn(t *quic.Transport) (*quic.Listener, error) {
	conf, err := s.tlsConfig(t.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	return s.listenQUIC(func(quicConf *quic.Config, newHandler func(event.Turn) event.Handler) (*quic.Listener, error) {
		return event.ListenOn(t, forHTTP3(conf), quicConf, newHandler)
	}, nil)
}

// ListenSockets is ListenAll on what is open already: TCP listeners, for HTTP/1.1 and HTTP/2,
// and at least one configuration with the Sockets of an address, or a Predecessor, which takes
// the place of QUICTransportConfig. The server closes all of them in the end, also when that
// fails. All should be of one port, as it is what responses over TCP tell of HTTP/3.
func (s *Server) ListenSockets(tcp []net.Listener, udp []*quic.TransportConfig) (*Listener, error) {
	l := &Listener{server: s}
	for _, ln := range tcp {
		l.tcp = append(l.tcp, &tcpListener{Listener: ln})
	}
	err := checkOpen(udp)
	for i := 0; i < len(udp) && err == nil; i++ {
		var ln *quic.Listener
		if ln, err = s.listenWith("", udp[i], nil); err == nil {
			l.udp = append(l.udp, ln)
		}
	}
	if err != nil {
		closeSockets(udp[len(l.udp):])
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// checkOpen refuses configurations that would open sockets of their own.
func checkOpen(udp []*quic.TransportConfig) error {
	for i, conf := range udp {
		if conf == nil || len(conf.Sockets) == 0 && conf.Predecessor == nil {
			return fmt.Errorf("http3: UDP configuration %d has neither Sockets nor a Predecessor", i)
		}
	}
	if len(udp) == 0 {
		return errors.New("http3: no UDP sockets to listen on")
	}
	return nil
}

// closeSockets closes those that no listener has taken; the others are closed already.
func closeSockets(udp []*quic.TransportConfig) {
	for _, conf := range udp {
		if conf == nil {
			continue
		}
		for _, socket := range conf.Sockets {
			if socket != nil {
				_ = socket.Close()
			}
		}
	}
}

// certified returns the address for which there must be a certificate.
func certified(addr string, on *quic.TransportConfig) string {
	switch {
	case addr != "" || on == nil:
		return addr
	case on.Predecessor != nil:
		return "the predecessor's address"
	case len(on.Sockets) > 0 && on.Sockets[0] != nil && on.Sockets[0].LocalAddr() != nil:
		return on.Sockets[0].LocalAddr().String()
	}
	return addr
}

// TCP returns the listeners for HTTP/1.1 and HTTP/2, which are the server's.
func (l *Listener) TCP() []net.Listener {
	var tcp []net.Listener
	for _, ln := range l.tcp {
		tcp = append(tcp, ln.(*tcpListener).Listener)
	}
	return tcp
}

// listenPort is ListenAll for a port that may be free on TCP only.
func (s *Server) listenPort(addr string) (*Listener, error) {
	l := &Listener{server: s}
	if err := l.add(addr); err != nil {
		return nil, err
	}
	if addr6, ok := otherLocalhost(addr, l.Addr()); ok {
		if err := l.add(addr6); errors.Is(err, syscall.EADDRINUSE) {
			_ = l.Close()
			return nil, err
		}
	}
	return l, nil
}

// add listens on an address.
func (l *Listener) add(addr string) error {
	if l.server.DisableTCP {
		return l.addUDP(addr, nil)
	}
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("http3: %w", err)
	}
	if err := l.addUDP(sameAddr(addr, tcp.Addr()), nil); err != nil {
		_ = tcp.Close()
		return err
	}
	l.tcp = append(l.tcp, &tcpListener{Listener: tcp})
	return nil
}

// addUDP listens on an address, UDP alone, for requests whose contexts derive from ctx, if
// that is not nil.
func (l *Listener) addUDP(addr string, ctx context.Context) error {
	udp, err := l.server.listenUDP(addr, ctx)
	if err == nil {
		l.udp = append(l.udp, udp)
	}
	return err
}

// listenUDP is Listen for requests whose contexts derive from ctx, if that is not nil.
func (s *Server) listenUDP(addr string, ctx context.Context) (*quic.Listener, error) {
	return s.listenWith(addr, s.transportConfig(), ctx)
}

// listenWith is listenUDP with sockets of a configuration.
func (s *Server) listenWith(addr string, on *quic.TransportConfig, ctx context.Context) (*quic.Listener, error) {
	conf, err := s.tlsConfig(certified(addr, on))
	if err != nil {
		return nil, err
	}
	return s.listenQUIC(func(quicConf *quic.Config, newHandler func(event.Turn) event.Handler) (*quic.Listener, error) {
		return event.Listen(addr, on, forHTTP3(conf), quicConf, newHandler)
	}, ctx)
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

// isLoopback reports whether nobody but this machine reaches an address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip, ipErr := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || ipErr == nil && ip.IsLoopback())
}
