package http3

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/quic"
)

// Listener is where a Server listens for all versions of HTTP: one port, of TCP and of UDP,
// and at localhost the same port of IPv6. It is what ListenAll returns; its methods may be
// called from any goroutine.
type Listener struct {
	server *Server
	tcp    []net.Listener   // for HTTP/1.1 and HTTP/2; none with DisableTCP
	udp    []*quic.Listener // for HTTP/3
	closed atomic.Bool      // by Close
}

// Addr returns the address, a *net.UDPAddr. At localhost it is that of IPv4.
func (l *Listener) Addr() net.Addr { return l.udp[0].Addr() }

// Close stops listening, and Serve returns http.ErrServerClosed. Connections that there are
// go on, with their requests, and the Server may listen anew: its Shutdown and Close end
// them. Closing it again does nothing.
func (l *Listener) Close() error {
	l.closed.Store(true)
	return l.stop()
}

// stop is Close that Serve does not take for the user's.
func (l *Listener) stop() error {
	var errs []error
	for _, tcp := range l.tcp {
		errs = append(errs, tcp.Close())
	}
	for _, udp := range l.udp {
		errs = append(errs, udp.Close())
	}
	return errors.Join(errs...)
}

// Serve serves until the Listener is closed, or the Server shut down or closed, when it
// returns http.ErrServerClosed. When serving fails, TCP or UDP, it returns that error, as
// neither is served without the other; the Server's connections go on. In any case the
// Listener is closed then.
func (l *Listener) Serve() error {
	var serve []func() error
	for _, udp := range l.udp {
		l.server.track(udp)
		serve = append(serve, func() error { return l.server.Serve(udp) })
	}
	for _, tcp := range l.tcp {
		serve = append(serve, func() error { return l.server.serveTCP(tcp) })
	}
	errs := make(chan error, len(serve))
	for _, f := range serve {
		go func() { errs <- f() }()
	}
	first := <-errs
	if l.closed.Load() {
		first = http.ErrServerClosed
	}
	_ = l.stop()
	for range len(serve) - 1 {
		<-errs
	}
	return first
}

// tcpListener can be closed several times, by its owner and by net/http.
type tcpListener struct {
	net.Listener
	once sync.Once
	err  error
}

func (l *tcpListener) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}
