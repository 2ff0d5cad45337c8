package quic

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxBacklog is how many connections may wait for Accept. It holds the burst
// of clients that come back when a server was restarted; beyond it a server
// that does not get to accept them serves nobody by keeping more. Further ones
// are told CONNECTION_REFUSED.
const maxBacklog = 16384

// Listener accepts connections. Its methods may be called from any goroutine.
type Listener struct {
	transport  *Transport
	conf       *Config
	log        *asynclog.Handler
	backlog    queue.Queue[*Conn]
	maxBacklog int
	closed     atomic.Bool
	warned     atomic.Bool // of a full backlog
}

// Listen listens on the UDP address addr, "host:port" as for net.Listen: an
// empty host means every address of the machine, port 0 a free port. tlsConf
// needs certificates and NextProtos. Its callbacks run in goroutines of their own and
// may take long: nobody waits for them but the client that they are for, up to
// Config.HandshakeTimeout; the contexts that they are given end with the connection.
// At most 1024 are waiting at once. A nil conf means the defaults.
//
// The Listener has a Transport of its own, which ends when the Listener is
// closed and its last connection has ended.
func Listen(addr string, tlsConf *tls.Config, conf *Config) (*Listener, error) {
	if err := checkServerTLS(tlsConf); err != nil {
		return nil, err
	}
	own := *conf.orDefault()
	if own.Loops == 0 {
		own.Loops = defaultLoops()
	}
	t, err := NewTransport(addr, &own)
	if err != nil {
		return nil, err
	}
	l, err := t.Listen(tlsConf, conf.orDefault())
	if err != nil {
		t.Close()
		return nil, err
	}
	t.setTemporary()
	return l, nil
}

// Accept returns the next connection whose handshake is complete. The error is
// ErrServerClosed once the listener or its transport is closed, or the cause of
// ctx's end.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	for {
		c, err := l.backlog.Pop(ctx)
		if err != nil {
			return nil, err
		}
		if c.Err() == nil {
			return c, nil // those that have ended in the meantime are left out
		}
	}
}

// Addr returns the address listened on, a *net.UDPAddr.
func (l *Listener) Addr() net.Addr { return l.transport.LocalAddr() }

// Transport returns the transport that the listener belongs to.
func (l *Listener) Transport() *Transport { return l.transport }

// Close stops accepting: connections not yet accepted are refused, those that
// were accepted live on.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.backlog.Close(ErrServerClosed)
	t := l.transport
	t.listener.CompareAndSwap(l, nil)
	for _, w := range t.workers {
		w.Do(func() {
			if w.accepting == l {
				w.SetServer(nil)
				w.accepting = nil
			}
		})
	}
	for _, c := range l.backlog.Clear() {
		c.worker.Do(func() { c.refuse("the server stopped listening") })
	}
	t.retire()
	return nil
}

// offer queues a connection for Accept. On the goroutine of the connection's
// loop.
func (l *Listener) offer(c *Conn) {
	switch {
	case l.backlog.Len() >= l.maxBacklog:
		if !l.warned.Swap(true) {
			slog.New(l.log).Warn("quic: connections are refused, as too many wait to be accepted",
				"waiting", l.maxBacklog, "remedy", "call Listener.Accept all the time")
		}
		c.refuse("too many connections wait to be accepted")
	case !l.backlog.Push(c):
		c.refuse("the server stopped listening")
	}
}

// refuse ends a connection that nobody has seen. On the loop's goroutine.
func (c *Conn) refuse(reason string) {
	slog.New(c.listener.log).Debug("quic: connection refused", "remote", c.RemoteAddr(), "reason", reason)
	c.link.Fail(&engine.TransportError{Code: wire.ConnectionRefused, Reason: reason})
}
