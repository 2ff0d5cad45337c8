package loop

import (
	"errors"
	"net"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Do calls f on the loop's goroutine soon. It returns false if the loop has
// ended, so that f will not be called. Any goroutine may call it.
func (l *Loop) Do(f func()) bool { return l.post(item{do: f}) }

func (l *Loop) post(it item) bool {
	wake, ok := l.mail.post(it)
	if wake {
		l.sock.Wake()
	}
	return ok
}

// Dial starts a connection to addrs.Remote. The error is that of engine.Endpoint.Dial.
// On the loop's goroutine only.
func (l *Loop) Dial(addrs path.Addrs, cfg *engine.Config, tls engine.TLS, h Handler) (*Conn, error) {
	e, err := l.endpoint.Dial(l.clock(), addrs, cfg, tls)
	if err != nil {
		return nil, err
	}
	c := l.newConn(e)
	c.handler = h
	l.watchAnswer(c)
	c.touch()
	return c, nil
}

// SetServer makes the loop accept connections, nil makes it stop. On the
// loop's goroutine only.
func (l *Loop) SetServer(s *engine.Server) { l.endpoint.SetServer(s) }

// EachConn calls f for every connection not yet released. On the loop's goroutine
// only.
func (l *Loop) EachConn(f func(*Conn)) {
	for c := l.conns.head; c != nil; c = c.next {
		f(c)
	}
}

// Conns returns the number of connections not yet released. On the loop's
// goroutine only.
func (l *Loop) Conns() int { return l.count }

// LocalAddr returns the socket's address. Any goroutine may call it.
func (l *Loop) LocalAddr() netip.AddrPort { return l.sock.LocalAddr() }

// Stats returns the counters as of the end of the last turn. Any goroutine
// may call it.
func (l *Loop) Stats() Stats {
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	return l.shared.stats
}

// SocketStats returns the socket's counters. Any goroutine may call it.
func (l *Loop) SocketStats() udp.Stats { return l.sock.Stats() }

// Stop makes the loop end after this turn: connections are closed with an
// application error of 0, their handlers are told, and the socket is closed.
// It does not wait for that. Any goroutine may call it.
func (l *Loop) Stop() {
	if !l.stopping.Swap(true) {
		l.Do(func() {}) // wakes the loop
	}
}

// Close is Stop, and waits until the loop has ended. It must not be called on
// the loop's goroutine.
func (l *Loop) Close() {
	l.Stop()
	<-l.done
}

// Done returns a channel that is closed when the loop has ended.
func (l *Loop) Done() <-chan struct{} { return l.done }

// shutdown ends every connection and the socket. Peers are told once; nobody
// stays to repeat it.
func (l *Loop) shutdown() {
	for _, rest := range [][]item{l.items, l.mail.close()} {
		for i := range rest {
			rest[i].handle()
		}
	}
	for l.conns.head != nil {
		c := l.conns.head
		l.end(c)
		if _, more := l.transmit(c); more {
			continue // there were answers to send before CONNECTION_CLOSE
		}
		c.engine.Release(l.clock())
		for l.dispatch(c); c.untold; {
			l.dispatch(c) // its last event removes it from the list
		}
		c.publish()
	}
	l.publish()
	_ = l.sock.Close() // nothing can be done about a socket that does not close
	if l.config.Ended != nil {
		l.config.Ended(l.failure())
	}
}

// failure returns what is wrong with the socket, nil if it was only closed.
func (l *Loop) failure() error {
	if errors.Is(l.broken, net.ErrClosed) {
		return nil
	}
	return l.broken
}

// end closes a connection, for the reason that the loop ends.
func (l *Loop) end(c *Conn) {
	if err := l.failure(); err != nil {
		c.engine.Fail(l.clock(), &engine.TransportError{
			Code: wire.InternalError, Reason: "the socket failed", Err: err,
		})
		return
	}
	c.engine.CloseAfterSending(l.clock(), uint64(wire.NoError), "")
}
