package quic

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// onSockets is a configuration for sockets that are open.
func onSockets(socks ...net.PacketConn) *TransportConfig { return &TransportConfig{Sockets: socks} }

// listenUDP opens a socket of package net.
func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// newSocketEnv is newEnv with a server and a client on sockets of one's own.
func newSocketEnv(t *testing.T, server, client *TransportConfig) *env {
	t.Helper()
	serverTLS, clientTLS := peertest.TLS(t, "test")
	l, err := server.Listen("", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTransport("", client)
	if err != nil {
		t.Fatal(err)
	}
	return &env{t: t, ctx: context.Background(), listener: l, transport: tr, clientTLS: clientTLS}
}

func (e *env) closeAll() {
	e.transport.Close()
	e.listener.Transport().Close()
}

// transfer sends content from the server to the client.
func (e *env) transfer(content []byte) {
	e.t.Helper()
	client, server := e.pair()
	go func() {
		if s, err := server.OpenUniStream(e.ctx); err == nil {
			_, _ = s.Write(content)
			_ = s.Close()
		}
	}()
	s, err := client.AcceptUniStream(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, content) {
		e.t.Errorf("%d bytes of %d arrived, %v", len(got), len(content), err)
	}
	client.CloseWithError(0, "")
}

// TestSocketsUDP: a *net.UDPConn is used as a socket of our own is: with segmentation
// offloads, packets marked with ECN, and buffers of the size asked for.
func TestSocketsUDP(t *testing.T) {
	leak.Check(t)
	e := newSocketEnv(t, onSockets(listenUDP(t)), onSockets(listenUDP(t)))
	defer e.closeAll()
	own := newEnv(t, nil, nil)
	e.transfer(peertest.Content(4 << 20))
	got, want := e.listener.Transport().Stats(), own.listener.Transport().Stats()
	if got.GSO != want.GSO || got.GRO != want.GRO || got.ECN != want.ECN || got.ReadBuffer != want.ReadBuffer {
		t.Errorf("facilities %+v, want those of %+v", got, want)
	}
	if got.GSO && got.SendCalls*2 > got.SentDatagrams {
		t.Errorf("%d calls for %d datagrams", got.SendCalls, got.SentDatagrams)
	}
	if client := e.transport.Stats(); client.GRO && client.ReceiveCalls > client.ReceivedDatagrams {
		t.Errorf("%d calls for %d datagrams received", client.ReceiveCalls, client.ReceivedDatagrams)
	}
}

// TestSocketsECN: what leaves by a *net.UDPConn is marked, and what leaves by something
// that embeds one is not, and works all the same.
func TestSocketsECN(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // elsewhere sockets know no ECN, and TestSocketsUDP compares with that
	}
	type embedded struct{ *net.UDPConn }
	for _, tt := range []struct {
		name   string
		server net.PacketConn
		marked bool
	}{{"UDP", listenUDP(t), true}, {"embedded", embedded{listenUDP(t)}, false}} {
		t.Run(tt.name, func(t *testing.T) {
			leak.Check(t)
			e := newSocketEnv(t, onSockets(tt.server), onSockets(listenUDP(t)))
			defer e.closeAll()
			e.transfer(peertest.Content(100 << 10))
			s := e.listener.Transport().Stats()
			if s.ECN != tt.marked || s.GSO && !tt.marked {
				t.Errorf("ECN %v, GSO %v", s.ECN, s.GSO)
			}
		})
	}
}

// TestSocketsGroup: several sockets are a loop each, and connections get to theirs.
func TestSocketsGroup(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // sockets share a port nowhere else
	}
	leak.Check(t)
	first, err := NewTransport("127.0.0.1:0", &TransportConfig{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	addr := first.LocalAddr().String()
	first.Close() // its port is free now
	var socks []net.PacketConn
	conf := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var optErr error
		err := c.Control(func(fd uintptr) { optErr = reusePort(fd) })
		return errors.Join(err, optErr)
	}}
	for range 3 {
		s, err := conf.ListenPacket(t.Context(), "udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		socks = append(socks, s)
	}
	e := newSocketEnv(t, onSockets(socks...), nil)
	defer e.closeAll()
	if n := len(e.listener.Transport().workers); n != 3 {
		t.Fatalf("%d loops", n)
	}
	for range 12 {
		e.transfer(peertest.Content(10 << 10))
	}
}

// TestSocketsRefused: what cannot serve is refused with a reason, and what was given is
// closed.
func TestSocketsRefused(t *testing.T) {
	leak.Check(t)
	connected, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, clientTLS := peertest.TLS(t, "test")
	for name, open := range map[string]func(tc *TransportConfig) error{
		"an address as well": func(tc *TransportConfig) error { _, err := NewTransport("127.0.0.1:0", tc); return err },
		"connected":          func(tc *TransportConfig) error { tc.Sockets[1] = connected; _, err := NewTransport("", tc); return err },
		"loops":              func(tc *TransportConfig) error { tc.Loops = 3; _, err := NewTransport("", tc); return err },
		"no TLS":             func(tc *TransportConfig) error { _, err := tc.Listen("", nil, nil); return err },
		"no TLS, dialled":    func(tc *TransportConfig) error { _, err := tc.Dial(t.Context(), "127.0.0.1:9", nil, nil); return err },
		"bad Config": func(tc *TransportConfig) error {
			_, err := tc.Listen("", serverTLS, &Config{MaxUDPPayload: 1})
			return err
		},
		"no such host": func(tc *TransportConfig) error {
			nobody := func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("nobody") }
			_, err := tc.Dial(t.Context(), "nobody.invalid:9", clientTLS, &Config{LookupHost: nobody})
			return err
		},
	} {
		socks := []net.PacketConn{listenUDP(t), listenUDP(t)}
		if err := open(onSockets(slices.Clone(socks)...)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := socks[0].SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: the socket is still open: %v", name, err)
		}
		socks[1].Close()
	}
}

// lossyConn drops, doubles and delays what is written to it, by chance.
type lossyConn struct {
	net.PacketConn

	mu     sync.Mutex
	chance *rand.Rand
	held   []byte // to be sent after the next one
}

func (c *lossyConn) WriteTo(p []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.held
	c.held = nil
	switch c.chance.IntN(20) {
	case 0, 1: // lost
	case 2:
		_, _ = c.PacketConn.WriteTo(p, to)
		fallthrough
	case 3:
		c.held = bytes.Clone(p)
	default:
		if _, err := c.PacketConn.WriteTo(p, to); err != nil {
			return 0, err
		}
	}
	if held != nil {
		_, _ = c.PacketConn.WriteTo(held, to)
	}
	return len(p), nil
}

// TestSocketsLossy: a PacketConn that loses, doubles and reorders only costs time.
func TestSocketsLossy(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			network := quictest.NewNetwork(quictest.Link{Delay: 5 * time.Millisecond})
			lossy := func(addr string) *TransportConfig {
				return onSockets(&lossyConn{PacketConn: network.Listen(addr), chance: rand.New(rand.NewPCG(seed, uint64(len(addr))))})
			}
			e := newSocketEnv(t, lossy("192.0.2.1:443"), lossy("192.0.2.22:5000"))
			defer e.closeAll()
			e.transfer(peertest.Content(200 << 10))
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
}

// temporaryError is one that may be over the next time.
type temporaryError struct{ error }

func (temporaryError) Temporary() bool { return true }

// brokenConn fails now and then, and at last for good.
type brokenConn struct {
	net.PacketConn
	mu            sync.Mutex
	reads, writes int
	last          error
}

func (c *brokenConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.mu.Lock()
	c.reads++
	n, last := c.reads, c.last
	c.mu.Unlock()
	switch {
	case last != nil:
		return 0, nil, last
	case n%3 == 0:
		return 0, nil, temporaryError{errors.New("not now")}
	case n%5 == 0:
		return 0, nil, fmt.Errorf("read: %w", syscall.ECONNREFUSED)
	}
	return c.PacketConn.ReadFrom(p)
}

func (c *brokenConn) WriteTo(p []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	c.writes++
	n := c.writes
	c.mu.Unlock()
	switch n % 20 {
	case 0:
		return 0, temporaryError{errors.New("not now")}
	case 1:
		return 0, errors.New("for no known reason")
	case 2:
		return 0, syscall.EMSGSIZE
	}
	return c.PacketConn.WriteTo(p, to)
}

// fail makes it fail for good.
func (c *brokenConn) fail(err error) {
	c.mu.Lock()
	c.last = err
	c.mu.Unlock()
	_ = c.PacketConn.SetReadDeadline(time.Now()) // which ends the present read
}

// TestSocketsErrors: errors that may be over are survived, and with others all ends and
// says why.
func TestSocketsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := quictest.NewNetwork(quictest.Link{Delay: 5 * time.Millisecond})
		broken := &brokenConn{PacketConn: network.Listen("192.0.2.1:443")}
		e := newSocketEnv(t, onSockets(broken), onSockets(network.Listen("192.0.2.2:5000")))
		defer e.closeAll()
		e.transfer(peertest.Content(200 << 10))
		if s := e.listener.Transport().Stats(); s.SocketErrors == 0 {
			t.Error("no errors are counted")
		}
		client, server := e.pair()
		why := errors.New("the tunnel fell in")
		broken.fail(why)
		<-server.Done()
		failed := wantError[*TransportError](t, "a socket that failed", server.Err())
		if failed.Code != uint64(wire.InternalError) || !errors.Is(failed, why) {
			t.Errorf("%v", failed)
		}
		<-client.Done()
		if _, err := e.listener.Accept(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
	})
}

// TestControl: the hook sees every socket that is opened, before it is bound, and its
// error is the one of opening.
func TestControl(t *testing.T) {
	serverTLS, _ := peertest.TLS(t, "test")
	calls := 0
	conf := &TransportConfig{Loops: defaultLoops(), Control: func(network, address string, c syscall.RawConn) error {
		calls++
		if network != "udp4" {
			t.Errorf("network %q, address %q", network, address)
		}
		return c.Control(func(uintptr) {})
	}}
	l, err := conf.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if calls != conf.Loops {
		t.Errorf("%d calls for %d sockets", calls, conf.Loops)
	}
	why := errors.New("no such interface")
	conf.Control = func(string, string, syscall.RawConn) error { return why }
	if _, err := conf.Listen("127.0.0.1:0", serverTLS, nil); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
}

// TestLookupHost: hosts are looked up as one likes, and are still what certificates must
// be for.
func TestLookupHost(t *testing.T) {
	e := newEnv(t, nil, nil)
	_, port, _ := net.SplitHostPort(e.listener.Addr().String())
	conf := &Config{LookupHost: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "localhost" {
			return nil, fmt.Errorf("asked for %q", host)
		}
		return addrs("127.0.0.1"), nil
	}}
	roots := &tls.Config{RootCAs: e.clientTLS.RootCAs, NextProtos: []string{"test"}}
	c, err := e.transport.Dial(e.ctx, "localhost:"+port, roots, conf)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseWithError(0, "")
	if _, err := e.transport.Dial(e.ctx, "elsewhere:"+port, roots, conf); err == nil {
		t.Error("a host that is not known")
	}
}
