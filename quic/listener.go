package quic

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/bounded"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
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
	conf       *engine.Config // of its connections
	newHandler any            // nil for connections that are not event-driven
	backlog    queue.Queue[*Conn]
	maxBacklog int
	server     engine.Server // what loops are given while it accepts
	ending     ending
	warned     atomic.Bool // of a full backlog
}

// Listen listens on the UDP address addr, "host:port" as for net.Listen: an
// empty host means every address of the machine, port 0 a free port; of a host with several
// addresses one is taken, as net.ListenPacket does. tlsConf
// needs certificates and NextProtos. Its callbacks run in goroutines of their own and
// may take long: nobody waits for them but the client that they are for, up to
// Config.HandshakeTimeout; the contexts that they are given end with the connection.
// At most 1024 run at once; other handshakes wait meanwhile. A nil conf means the defaults.
//
// The Listener has a Transport of its own, which ends when the Listener is
// closed and its last connection has ended. A TransportConfig says
// what it is like where its own Listen is called.
func Listen(addr string, tlsConf *tls.Config, conf *Config) (*Listener, error) {
	return new(TransportConfig).Listen(addr, tlsConf, conf)
}

// Accept returns the next connection whose handshake is complete. The error is
// ErrClosed once the listener or its transport is closed, or context.Cause(ctx). Up to
// 16384 connections wait to be accepted; further ones are told CONNECTION_REFUSED. Those that
// have ended in the meantime, as their clients closed them at once, are left out.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	for {
		c, err := l.backlog.Pop(ctx)
		if err != nil {
			return nil, err
		}
		c.accepted.Store(true)
		if c.Err() == nil {
			return c, nil // those that have ended in the meantime are left out
		}
	}
}

// Addr returns the address listened on, a *net.UDPAddr.
func (l *Listener) Addr() net.Addr { return l.transport.LocalAddr() }

// Transport returns the transport that the listener belongs to.
func (l *Listener) Transport() *Transport { return l.transport }

// Close stops accepting: handshakes under way and connections not yet accepted are
// refused, those that were accepted live on. When it returns, their clients have been
// told, and if the Listener has a Transport of its own and all connections have ended,
// its address is free. Once the last connection has ended, it may be called again to wait
// for that. It waits for the event loops, up to a second: it is not for callbacks, and a lock
// that those take must not be held.
func (l *Listener) Close() error {
	l.backlog.Close(ErrClosed)
	t := l.transport
	t.listener.CompareAndSwap(l, nil)
	var stopped sync.WaitGroup
	for _, w := range t.workers {
		stopped.Add(1)
		if !w.Do(func() {
			w.stopServing(l, &stopped)
			if !w.Do(stopped.Done) { // when the turn that refuses them is over
				stopped.Done()
			}
		}) {
			stopped.Done()
		}
	}
	l.backlog.Clear()
	t.retire()
	t.awaitListenerEnd(&stopped)
	return nil
}

// stopServing ends what nobody has accepted of l. Where that leaves nothing to live on a
// socket, it is about to be closed: closing periods are skipped, and stopped counts
// the connections until they are forgotten. On the loop's goroutine.
func (w *worker) stopServing(l *Listener, stopped *sync.WaitGroup) {
	if w.accepting == l {
		w.SetServer(nil)
		w.accepting = nil
	}
	ends := w.transport.temporary.Load() && w.accepting == nil
	w.EachConn(func(link *loop.Conn) {
		c := link.Handler().(events).Conn
		switch {
		case c.Err() != nil:
		case c.listener == l && !c.accepted.Load():
			c.refuse("the server stopped listening")
		default:
			ends = false
		}
	})
	if !ends {
		return
	}
	w.EachConn(func(link *loop.Conn) {
		c := link.Handler().(events).Conn
		stopped.Add(1)
		others := c.released
		c.released = func() {
			if others != nil {
				others()
			}
			stopped.Done()
		}
		link.SkipClosingPeriod()
	})
}

// awaitListenerEnd waits until the loops have stopped serving, and for their ends if
// that leaves them nothing to do, maxCloseWait at most.
func (t *Transport) awaitListenerEnd(stopped *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stopped.Wait()
		if t.temporary.Load() && t.live.Load() == 0 && t.predecessors.Load() == 0 {
			for _, w := range t.workers {
				<-w.Done()
			}
		}
	}()
	bounded.Wait(maxCloseWait, ended, nil)
}

// offer queues a connection for Accept. On the goroutine of the connection's
// loop.
func (l *Listener) offer(c *Conn) {
	switch {
	case l.backlog.Len() >= l.maxBacklog:
		if !l.warned.Swap(true) {
			slog.New(l.transport.log).Warn("quic: connections are refused, as too many wait to be accepted",
				"waiting", l.maxBacklog, "remedy", "call Listener.Accept all the time")
		}
		c.refuse("too many connections wait to be accepted")
	case !l.backlog.Push(c):
		c.refuse("the server stopped listening")
	}
}

// refuse ends a connection that nobody has seen. On the loop's goroutine.
func (c *Conn) refuse(reason string) {
	slog.New(c.transport.log).Debug("quic: connection refused", "remote", c.RemoteAddr(), "reason", reason)
	c.face.Link.Fail(&engine.TransportError{Code: wire.ConnectionRefused, Reason: reason})
}
