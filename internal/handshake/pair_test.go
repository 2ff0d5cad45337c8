package handshake

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// testConfigs returns a server's configuration with a new certificate for
// localhost, and a client's that trusts it.
func testConfigs(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		DNSNames:              []string{"localhost"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}},
		NextProtos:   []string{"perf", "h3"},
	}
	client = &tls.Config{RootCAs: roots, NextProtos: []string{"h3"}}
	return server, client
}

// secretKey names a secret by how packets protected with it travel.
type secretKey struct {
	level    wire.Level
	toServer bool
}

// end is one side of a handshake and what it was told.
type end struct {
	conn       *Conn
	server     bool
	version    wire.Version      // of the server's, when it begins
	params     []byte            // the server's
	remembered []byte            // TLSEarlyParameters
	rejected   bool              // TLSEarlyRejected, before the peer's parameters
	out        []engine.TLSEvent // TLSWriteData not delivered yet
	secrets    map[secretKey]string
	peerParams []byte
	done       bool
	err        error
	progress   progress
}

func newEnd(conn *Conn) *end {
	e := &end{conn: conn, server: conn.server != nil, version: wire.Version1, params: []byte("parameters of the server"), secrets: map[secretKey]string{}, progress: make(progress, 1)}
	conn.Notify(e.progress)
	return e
}

// progress is told when a step that was pending is done.
type progress chan struct{}

func (p progress) HandshakeProgressed() { p <- struct{}{} }

// finish waits for the step that err came from, and returns the step's error.
func (e *end) finish(err error) error {
	if err == nil && e.conn.Pending() {
		<-e.progress
		_, err = e.conn.Finish()
	}
	return err
}

// poll takes the events of e.
func (e *end) poll() {
	for {
		ev := e.conn.NextEvent()
		switch ev.Kind {
		case engine.TLSNoEvent:
			return
		case engine.TLSNeedParameters:
			e.err = e.finish(e.conn.Start(e.version, e.params))
		case engine.TLSWriteData:
			ev.Data = bytes.Clone(ev.Data)
			e.out = append(e.out, ev)
		case engine.TLSEarlyParameters:
			e.remembered = bytes.Clone(ev.Data)
		case engine.TLSEarlyRejected:
			e.rejected = e.peerParams == nil
		case engine.TLSPeerParameters:
			e.peerParams = bytes.Clone(ev.Data)
		case engine.TLSReadSecret:
			e.secrets[secretKey{ev.Level, e.server}] = fmt.Sprintf("%v %x", ev.Suite, ev.Data)
		case engine.TLSWriteSecret:
			e.secrets[secretKey{ev.Level, !e.server}] = fmt.Sprintf("%v %x", ev.Suite, ev.Data)
		case engine.TLSHandshakeDone:
			e.done = true
			if e.server {
				e.err = e.conn.SendSessionTicket()
			}
		}
	}
}

// deliver hands what e has to say to the other side, at most chunk bytes a call.
func (e *end) deliver(to *end, chunk int) {
	out := e.out
	e.out = nil
	for _, ev := range out {
		for len(ev.Data) > 0 && to.err == nil {
			n := min(chunk, len(ev.Data))
			if to.err = to.finish(to.conn.HandleData(ev.Level, ev.Data[:n])); to.err == nil {
				to.poll()
			}
			ev.Data = ev.Data[n:]
		}
	}
}

// run performs a handshake until both are silent or one fails. Data is
// delivered in chunks.
func run(t *testing.T, client, server *Conn, chunk int) (c, s *end) {
	t.Helper()
	c, s = newEnd(client), newEnd(server)
	t.Cleanup(client.Close)
	t.Cleanup(server.Close)
	c.err = c.finish(client.Start(wire.Version1, []byte("parameters of the client")))
	c.poll()
	for c.err == nil && s.err == nil && len(c.out)+len(s.out) > 0 {
		c.deliver(s, chunk)
		s.deliver(c, chunk)
	}
	return c, s
}

// newPair returns both sides of a connection to localhost.
func newPair(t *testing.T, serverConfig, clientConfig *tls.Config) (client, server *Conn) {
	t.Helper()
	s, err := NewServer(serverConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err = NewClient(clientConfig, "localhost", false)
	if err != nil {
		t.Fatal(err)
	}
	return client, s.NewConn()
}

// wantDone checks that a handshake came to a good end on both sides.
func wantDone(t *testing.T, c, s *end) {
	t.Helper()
	if c.err != nil || s.err != nil || !c.done || !s.done {
		t.Fatalf("client: done %v, %v; server: done %v, %v", c.done, c.err, s.done, s.err)
	}
	if string(c.peerParams) != "parameters of the server" || string(s.peerParams) != "parameters of the client" {
		t.Errorf("parameters arrived as %q and %q", c.peerParams, s.peerParams)
	}
	for _, level := range []wire.Level{wire.HandshakeLevel, wire.OneRTTLevel} {
		for _, toServer := range []bool{false, true} {
			key := secretKey{level, toServer}
			if c.secrets[key] == "" || c.secrets[key] != s.secrets[key] {
				t.Errorf("secret %+v is %q for the client, %q for the server", key, c.secrets[key], s.secrets[key])
			}
		}
	}
	if len(c.secrets) != 4 || len(s.secrets) != 4 {
		t.Errorf("%d and %d secrets, want 4", len(c.secrets), len(s.secrets))
	}
}

// suiteOf returns the suite that the 1-RTT secrets of e are for.
func suiteOf(e *end) protect.Suite {
	for _, s := range []protect.Suite{protect.AES128GCM, protect.AES256GCM, protect.ChaCha20Poly1305} {
		if bytes.HasPrefix([]byte(e.secrets[secretKey{wire.OneRTTLevel, true}]), []byte(s.String())) {
			return s
		}
	}
	return 0
}
