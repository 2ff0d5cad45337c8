package quic

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// gate is what a callback waits for once it is shut.
type gate struct {
	shut    atomic.Bool
	once    sync.Once
	entered chan struct{} // closed when somebody waits
	open    chan struct{}
	ready   chan struct{} // closed when a connection can make the callback wait; nil for at once
}

func newGate() *gate { return &gate{entered: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) pass() {
	if g.shut.Load() {
		g.once.Do(func() { close(g.entered) })
		<-g.open
	}
}

// awaitReady waits until a connection can make the callback wait.
func (g *gate) awaitReady() {
	if g.ready != nil {
		<-g.ready
	}
}

// slowSigner is a key, and slowCache a session cache, that waits.
type slowSigner struct {
	crypto.Signer
	*gate
}

func (s slowSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.pass()
	return s.Signer.Sign(rand, digest, opts)
}

type slowCache struct {
	tls.ClientSessionCache
	get, put *gate
}

func (s slowCache) Get(key string) (*tls.ClientSessionState, bool) {
	s.get.pass()
	return s.ClientSessionCache.Get(key)
}

func (s slowCache) Put(key string, state *tls.ClientSessionState) {
	s.put.pass()
	s.ClientSessionCache.Put(key, state)
}

// tellingCache is a session cache that tells when it has something.
type tellingCache struct {
	tls.ClientSessionCache
	tell func()
}

func (c tellingCache) Put(key string, state *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, state)
	c.tell()
}

// callback makes one of the callbacks of a configuration wait at a gate. The
// client's configuration is changed as far as the server's callback needs it.
type callback struct {
	name string
	set  func(server, client *tls.Config, g *gate)
}

var serverCallbacks = []callback{
	{"GetCertificate", func(server, _ *tls.Config, g *gate) {
		cert := server.Certificates[0]
		server.Certificates = nil
		server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { g.pass(); return &cert, nil }
	}},
	{"GetConfigForClient", func(server, _ *tls.Config, g *gate) {
		server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { g.pass(); return nil, nil }
	}},
	{"of the chosen configuration", func(server, _ *tls.Config, g *gate) {
		chosen := server.Clone()
		chosen.VerifyConnection = func(tls.ConnectionState) error { g.pass(); return nil }
		server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
	}},
	{"VerifyConnection", func(server, _ *tls.Config, g *gate) {
		server.VerifyConnection = func(tls.ConnectionState) error { g.pass(); return nil }
	}},
	{"VerifyPeerCertificate", func(server, client *tls.Config, g *gate) {
		client.Certificates = server.Certificates
		server.ClientAuth = tls.RequireAnyClientCert
		server.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { g.pass(); return nil }
	}},
	{"WrapSession", func(server, _ *tls.Config, g *gate) {
		server.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { g.pass(); return nil, errors.New("no") }
	}},
	{"UnwrapSession", func(server, client *tls.Config, g *gate) {
		g.ready = make(chan struct{})
		client.ClientSessionCache = tellingCache{tls.NewLRUClientSessionCache(1), sync.OnceFunc(func() { close(g.ready) })}
		server.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { g.pass(); return nil, nil }
	}},
	{"Sign", func(server, _ *tls.Config, g *gate) {
		cert := server.Certificates[0]
		cert.PrivateKey = slowSigner{cert.PrivateKey.(crypto.Signer), g}
		server.Certificates = []tls.Certificate{cert}
	}},
	{"Sign of GetCertificate's", func(server, _ *tls.Config, g *gate) {
		cert := server.Certificates[0]
		cert.PrivateKey = slowSigner{cert.PrivateKey.(crypto.Signer), g}
		server.Certificates = nil
		server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }
	}},
}

var clientCallbacks = []callback{
	{"VerifyConnection", func(_, client *tls.Config, g *gate) {
		client.VerifyConnection = func(tls.ConnectionState) error { g.pass(); return nil }
	}},
	{"VerifyPeerCertificate", func(_, client *tls.Config, g *gate) {
		client.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { g.pass(); return nil }
	}},
	{"GetClientCertificate", func(server, client *tls.Config, g *gate) {
		cert := server.Certificates[0]
		server.ClientAuth = tls.RequestClientCert
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { g.pass(); return &cert, nil }
	}},
	{"ClientSessionCache.Get", func(_, client *tls.Config, g *gate) {
		client.ClientSessionCache = slowCache{tls.NewLRUClientSessionCache(1), g, newGate()}
	}},
	{"ClientSessionCache.Put", func(_, client *tls.Config, g *gate) {
		client.ClientSessionCache = slowCache{tls.NewLRUClientSessionCache(1), newGate(), g}
	}},
}

// newGatedEnv is newEnv with one loop on each side, and with a callback that waits
// at a gate.
func newGatedEnv(t *testing.T, cb callback) (*env, *gate) {
	leak.Check(t)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	g := newGate()
	cb.set(serverTLS, clientTLS, g)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	l, err := (&TransportConfig{Loops: 1}).Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		l.Close()
		l.Transport().Close()
	})
	return &env{t: t, ctx: ctx, listener: l, transport: tr, clientTLS: clientTLS}, g
}

// While a callback waits, the other connections of both loops go on; afterwards the
// handshake does, too.
func TestSlowCallbacks(t *testing.T) {
	for side, callbacks := range map[string][]callback{"server": serverCallbacks, "client": clientCallbacks} {
		for _, cb := range callbacks {
			t.Run(side+"/"+cb.name, func(t *testing.T) {
				e, g := newGatedEnv(t, cb)
				e.serveEcho()
				first := e.dial()
				if err := e.echo(first, 1, 1000); err != nil {
					t.Fatal(err)
				}
				g.awaitReady()
				g.shut.Store(true)
				dialled := make(chan error, 1)
				go func() {
					c, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
					if err == nil {
						err = e.echo(c, 2, 1000)
					}
					dialled <- err
				}()
				<-g.entered
				if err := e.echo(first, 3, 100_000); err != nil {
					t.Errorf("another connection, while a callback waits: %v", err)
				}
				close(g.open)
				if err := <-dialled; err != nil {
					t.Errorf("the connection whose callback waited: %v", err)
				}
			})
		}
	}
}

// Ends do not wait for a callback that waits, and when it returns, nothing of the
// handshake is left.
func TestCloseDuringCallback(t *testing.T) {
	for side, callbacks := range map[string][]callback{"server": serverCallbacks, "client": clientCallbacks} {
		for _, cb := range callbacks {
			t.Run(side+"/"+cb.name, func(t *testing.T) {
				e, g := newGatedEnv(t, cb)
				e.serveEcho()
				if err := e.echo(e.dial(), 1, 1000); err != nil {
					t.Fatal(err)
				}
				g.awaitReady()
				g.shut.Store(true)
				ctx, cancel := context.WithCancel(e.ctx)
				dialled := make(chan struct{})
				go func() {
					e.transport.Dial(ctx, e.listener.Addr().String(), e.clientTLS, nil)
					close(dialled)
				}()
				<-g.entered
				cancel()
				<-dialled
				e.transport.Close()
				e.listener.Close()
				e.listener.Transport().Close()
				close(g.open)
			})
		}
	}
}

// The context that callbacks are given ends with the connection.
func TestCallbackContext(t *testing.T) {
	ended := make(chan struct{})
	e, g := newGatedEnv(t, callback{set: func(server, _ *tls.Config, g *gate) {
		server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			close(g.entered)
			<-hello.Context().Done()
			close(ended)
			return nil, hello.Context().Err()
		}
	}})
	dialled := make(chan struct{})
	go func() {
		e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
		close(dialled)
	}()
	<-g.entered
	e.listener.Transport().Close()
	<-ended
	e.transport.Close()
	<-dialled
}
