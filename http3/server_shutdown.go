package http3

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/bounded"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Shutdown stops listening, tells clients to send no further requests (GOAWAY, in
// the two steps of RFC 9114, Section 5.2), waits until the handlers have returned
// and what they wrote has arrived, and closes the connections. When ctx ends before, it
// returns context.Cause(ctx) and leaves the connections with running handlers alone: call
// Close then.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.logHandler().Flush()
	listeners := s.stopListening(false)
	shut := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { shut <- ln.Shutdown(ctx) }()
	}
	for _, c := range s.liveConns() {
		event.Run(c.qc, c.leave)
	}
	var err error
	if tcp := s.tcpServer(); tcp != nil {
		err = tcp.Shutdown(ctx)
	}
	for range listeners {
		if ended := <-shut; ended != nil {
			return ended
		}
	}
	select {
	case <-s.whenEmpty():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.dismissWorkers()
	return err
}

// Close stops listening and closes all connections at once; requests under way fail. When it
// returns, clients have been told, with a GOAWAY that says which requests the server has not
// seen, and the addresses that were served are free. It waits for event loops, so callbacks
// of package event must not call it. Should one of them hang, Close returns after five
// seconds all the same.
func (s *Server) Close() error {
	defer s.logHandler().Flush()
	within(closeTimeout, func() {
		s.stopListening(true)
		s.freeAddresses()
		conns := s.liveConns()
		for _, c := range conns {
			event.Run(c.qc, c.closeNow)
		}
		for _, c := range conns {
			<-c.qc.Done()
		}
		s.dismissWorkers()
		s.freeAddresses()
	})
	if tcp := s.tcpServer(); tcp != nil {
		return tcp.Close()
	}
	return nil
}

// closeTimeout bounds Close of a Server and of a Transport. It takes a turn of each event
// loop, which is milliseconds.
const closeTimeout = 5 * time.Second

// within calls f, and returns when f does or some time has passed.
func within(limit time.Duration, f func()) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f()
	}()
	bounded.Wait(limit, returned, nil)
}

// stopListening has the server take no further listeners, and returns those that it had, to
// be shut down or closed. With atOnce, connections whose handshake is under way are of no
// use any more.
func (s *Server) stopListening(atOnce bool) []*quic.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	s.refusing = s.refusing || atOnce
	if s.end != nil {
		_ = s.end.Close()
	}
	for ln := range s.listeners {
		if !slices.Contains(s.closed, ln) {
			s.closed = append(s.closed, ln)
		}
	}
	return slices.Clone(s.closed)
}

// freeAddresses closes the listeners, again when connections have ended: see
// quic.Listener.Close. It waits for event loops that take the lock.
func (s *Server) freeAddresses() {
	s.mu.Lock()
	listeners := slices.Clone(s.closed)
	s.mu.Unlock()
	for _, ln := range listeners {
		_ = ln.Close()
	}
}

func (s *Server) tcpServer() *http.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tcp
}

func (s *Server) liveConns() []*serverConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*serverConn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// Transports returns the transports that the server listens on now, one for each UDP address:
// what there is to know of their sockets and of all connections together is in their Stats,
// and where they are in LocalAddr. Any goroutine may call it; closing them is the server's.
func (s *Server) Transports() []*quic.Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	var transports []*quic.Transport
	for ln := range s.listeners {
		transports = append(transports, ln.Transport())
	}
	slices.SortFunc(transports, func(a, b *quic.Transport) int {
		return strings.Compare(a.LocalAddr().String(), b.LocalAddr().String())
	})
	return transports
}

// newConn is called for each connection, on its loop, after the handshake.
func (s *Server) newConn(t event.Turn, maxHandlers int32, base func() context.Context) event.Handler {
	c := newServerConn(s, t, maxHandlers)
	c.base = base
	s.mu.Lock()
	defer s.mu.Unlock()
	c.workers = s.workersOf(t.Loop())
	c.source = c.workers.sources.join(t.Conn().RemoteAddr())
	if s.refusing {
		c.start(t, s.extension)
		c.refuseRequests(t) // its handshake was under way when the server closed
		return c
	}
	if s.conns == nil {
		s.conns = make(map[*serverConn]struct{})
	}
	s.conns[c] = struct{}{}
	c.watchIdle(t)
	c.start(t, s.extension)
	if s.closing.Load() {
		c.leave(t) // likewise, but what it has asked is answered
	}
	return c
}

func (s *Server) forget(c *serverConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// whenEmpty returns a channel that is closed when no connection is left.
func (s *Server) whenEmpty() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	if len(s.conns) == 0 {
		close(s.empty)
		s.empty = nil
	}
	return empty
}
