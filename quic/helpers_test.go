package quic

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// env is a listener and a transport to dial it from.
type env struct {
	t         testing.TB
	ctx       context.Context
	listener  *Listener
	transport *Transport
	clientTLS *tls.Config
	serverTLS *tls.Config
	network   *memnet.Network // nil for real sockets
	conf      *Config         // of dialled connections
}

// setup is what few tests need: what transports are like, and what changes the server's TLS,
// nil for nothing.
type setup struct {
	serverOn, clientOn *TransportConfig
	serverTLS          func(*tls.Config)
}

// newEnv makes an env on real loopback sockets. Everything is closed when the
// test ends, and goroutines that are left then make it fail.
func newEnv(t testing.TB, serverConf, clientConf *Config) *env {
	t.Helper()
	return newEnvWith(t, serverConf, clientConf, setup{})
}

// newEnvWith is newEnv for what few tests need.
func newEnvWith(t testing.TB, serverConf, clientConf *Config, s setup) *env {
	t.Helper()
	leak.Check(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	l, err := s.serverOn.Listen("127.0.0.1:0", serverTLS, serverConf)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTransport("127.0.0.1:0", s.clientOn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		l.Close()
		l.Transport().Close()
		checkLoop(t, tr)
		checkLoop(t, l.Transport())
	})
	return &env{t: t, ctx: ctx, listener: l, transport: tr, clientTLS: clientTLS, conf: clientConf}
}

// checkLoop fails the test if deadlines did not move when they were handled.
func checkLoop(t testing.TB, tr *Transport) {
	for _, w := range tr.workers {
		if n := w.Stats().Overdue; n > 0 {
			t.Errorf("%d deadlines were overdue after they had been handled", n)
		}
	}
}

var (
	memServer = netip.MustParseAddrPort("127.0.0.1:443")
	memClient = netip.MustParseAddrPort("127.0.0.1:5000")
)

// newMemEnv makes an env in memory, for use in a bubble. The function returned
// closes everything and must be called before the bubble ends.
func newMemEnv(t testing.TB, serverConf, clientConf *Config) (*env, func()) {
	t.Helper()
	return newMemEnvWith(t, serverConf, clientConf, setup{})
}

// newMemEnvWith is newMemEnv for what few tests need.
func newMemEnvWith(t testing.TB, serverConf, clientConf *Config, s setup) (*env, func()) {
	t.Helper()
	n := memnet.New(5 * time.Millisecond)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	if s.serverTLS != nil {
		s.serverTLS(serverTLS)
	}
	st := newTransport([]loop.Socket{n.Listen(memServer)}, s.serverOn.orDefault())
	l, err := st.Listen(serverTLS, serverConf)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTransport([]loop.Socket{n.Listen(memClient)}, s.clientOn.orDefault())
	e := &env{t: t, ctx: context.Background(), listener: l, transport: tr, clientTLS: clientTLS, serverTLS: serverTLS, network: n, conf: clientConf}
	return e, func() {
		tr.Close()
		st.Close()
		checkLoop(t, tr)
		checkLoop(t, st)
	}
}

// dial returns a connection from the client's side.
func (e *env) dial() *Conn {
	e.t.Helper()
	c, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// pair returns both sides of a new connection.
func (e *env) pair() (client, server *Conn) {
	e.t.Helper()
	client = e.dial()
	server, err := e.listener.Accept(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	return client, server
}

// streams returns both ends of a new stream of a connection; the client has
// written one byte, which the server has read.
func (e *env) streams(client, server *Conn) (cs, ss *Stream) {
	e.t.Helper()
	cs, err := client.OpenStream(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := cs.Write([]byte{1}); err != nil {
		e.t.Fatal(err)
	}
	ss, err = server.AcceptStream(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := io.ReadFull(ss, make([]byte, 1)); err != nil {
		e.t.Fatal(err)
	}
	return cs, ss
}

// serveEcho answers every stream of every connection with what it brings.
func (e *env) serveEcho() {
	go func() {
		for {
			c, err := e.listener.Accept(e.ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					s, err := c.AcceptStream(e.ctx)
					if err != nil {
						return
					}
					go func() {
						if _, err := io.Copy(s, s); err != nil {
							s.CancelWrite(1)
							s.CancelRead(1)
							return
						}
						s.Close()
						release(c, s)
					}()
				}
			}()
		}
	}()
}

// release gives up a stream that goroutines have used, as event.Turn.Release.
func release(c *Conn, s *Stream) {
	c.face.Link.Do(func() {
		t := c.face.Begin()
		s.SendStream.ref.In(t).Release()
		t.End()
	})
}

// wantError checks that err is a T, and returns it.
func wantError[T error](t testing.TB, what string, err error) T {
	t.Helper()
	var want T
	if !errors.As(err, &want) {
		t.Fatalf("%s: %v (%T), want a %T", what, err, err, want)
	}
	return want
}
