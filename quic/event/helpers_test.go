package event

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
	"github.com/godwit-quic/godwit/quic"
)

// env is a listener and a transport to dial it from.
type env struct {
	t         testing.TB
	ctx       context.Context
	listener  *quic.Listener
	transport *quic.Transport
	clientTLS *tls.Config
	network   *memnet.Network // nil for real sockets
	conf      *quic.Config    // of dialled connections
	setup     setup
}

// setup makes the handlers of connections, nil for those that are not event-driven.
type setup struct{ server, client func(Turn) Handler }

// handled makes h the handler of every connection.
func handled(h Handler) func(Turn) Handler { return func(Turn) Handler { return h } }

// newEnv makes an env on real loopback sockets. Everything is closed when the
// test ends, and goroutines that are left then make it fail.
func newEnv(t testing.TB, conf *quic.Config, s setup) *env {
	t.Helper()
	leak.Check(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	l, err := Listen("127.0.0.1:0", nil, serverTLS, conf, s.server)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		l.Close()
		l.Transport().Close()
	})
	return &env{t: t, ctx: ctx, listener: l, transport: tr, clientTLS: clientTLS, conf: conf, setup: s}
}

var (
	memServer = netip.MustParseAddrPort("127.0.0.1:443")
	memClient = netip.MustParseAddrPort("127.0.0.1:5000")
)

// newMemEnv makes an env in memory, for use in a bubble. The function returned
// closes everything and must be called before the bubble ends.
func newMemEnv(t testing.TB, serverConf, clientConf *quic.Config, s setup) (*env, func()) {
	t.Helper()
	n := memnet.New(5 * time.Millisecond)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	st := quicmem.NewTransport(n.Listen(memServer), nil, nil).(*quic.Transport)
	l, err := ListenOn(st, serverTLS, serverConf, s.server)
	if err != nil {
		t.Fatal(err)
	}
	tr := quicmem.NewTransport(n.Listen(memClient), nil, nil).(*quic.Transport)
	e := &env{t: t, ctx: context.Background(), listener: l, transport: tr, clientTLS: clientTLS, network: n, conf: clientConf, setup: s}
	return e, func() {
		tr.Close()
		st.Close()
	}
}

// bubble calls f with both ends of a connection without handlers, in virtual time.
func bubble(t *testing.T, serverConf, clientConf *quic.Config, f func(t *testing.T, e *env, client, server *quic.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, serverConf, clientConf, setup{})
		defer closeAll()
		client, server := e.pair()
		f(t, e, client, server)
	})
}

// dial returns a connection from the client's side.
func (e *env) dial() *quic.Conn {
	e.t.Helper()
	c, err := DialOn(e.ctx, e.transport, e.listener.Addr().String(), e.clientTLS, e.conf, e.setup.client)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// pair returns both sides of a new connection.
func (e *env) pair() (client, server *quic.Conn) {
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
func (e *env) streams(client, server *quic.Conn) (cs, ss *quic.Stream) {
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

// echo sends n bytes on a stream, to somebody who sends them back.
func (e *env) echo(c *quic.Conn, n int) {
	e.t.Helper()
	s, err := c.OpenStream(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	peertest.EchoThrough(e.t, s, peertest.Content(n))
}

// memoryOf returns what the names of a stream lead to at present.
func memoryOf(s *quic.Stream) *face.Stream {
	in := Of(s).ref.Enter()
	in.Leave()
	return in
}

// release gives up a stream that goroutines have used.
func release(c *quic.Conn, s *quic.Stream) { Run(c, func(turn Turn) { turn.Release(Of(s)) }) }

// wantError fails the test unless err is a T, which it returns.
func wantError[T error](t testing.TB, what string, err error) T {
	t.Helper()
	var want T
	if !errors.As(err, &want) {
		t.Fatalf("%s: %v (%T), want a %T", what, err, err, want)
	}
	return want
}
