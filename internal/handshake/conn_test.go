package handshake

import (
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

func TestHandshake(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	for _, chunk := range []int{math.MaxInt, 1000, 7, 1} {
		c, s := connect(t, serverConfig, clientConfig, chunk)
		wantDone(t, c, s)
		cs, ss := c.conn.ConnectionState(), s.conn.ConnectionState()
		if !cs.HandshakeComplete || cs.NegotiatedProtocol != "h3" || cs.ServerName != "localhost" || len(cs.PeerCertificates) != 1 || cs.DidResume {
			t.Errorf("chunks of %d: client's state is %+v", chunk, cs)
		}
		if !ss.HandshakeComplete || ss.NegotiatedProtocol != "h3" || ss.ServerName != "localhost" {
			t.Errorf("chunks of %d: server's state is %+v", chunk, ss)
		}
	}
}

// connect performs a handshake with a Server of its own.
func connect(t *testing.T, serverConfig, clientConfig *tls.Config, chunk int) (c, s *end) {
	t.Helper()
	client, server := newPair(t, serverConfig, clientConfig)
	return run(t, client, server, chunk)
}

func TestHandshakeSuites(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	for _, want := range []protect.Suite{protect.AES128GCM, protect.AES256GCM, protect.ChaCha20Poly1305} {
		forceSuite(t, want)
		c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
		wantDone(t, c, s)
		if got := suiteOf(c); got != want {
			t.Errorf("the suite is %v, want %v", got, want)
		}
	}
}

// TestResumption: connections of one Server resume each other's sessions.
func TestResumption(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	clientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	srv, err := NewServer(serverConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		client, err := NewClient(clientConfig, "localhost", false)
		if err != nil {
			t.Fatal(err)
		}
		c, s := run(t, client, srv.NewConn(), 100)
		wantDone(t, c, s)
		if got := c.conn.ConnectionState().DidResume; got != (i > 0) {
			t.Errorf("connection %d: DidResume = %v", i, got)
		}
		if got := s.conn.ConnectionState().DidResume; got != (i > 0) {
			t.Errorf("connection %d: DidResume = %v at the server", i, got)
		}
	}
}

// TestNoEarlyData: a ticket that permits 0-RTT, from another implementation on
// the same keys, leads to no 0-RTT on either side.
func TestNoEarlyData(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	t.Run("one configuration", func(t *testing.T) { refuseEarlyData(t, serverConfig, clientConfig) })
	chosen := serverConfig.Clone()
	serverConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
	t.Run("chosen configuration", func(t *testing.T) { refuseEarlyData(t, serverConfig, clientConfig) })
}

// TestSessionsWithoutEarlyData: a server resumes none with 0-RTT, whoever made
// it of a ticket.
func TestSessionsWithoutEarlyData(t *testing.T) {
	serverConfig, _ := testConfigs(t)
	serverConfig.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
		return &tls.SessionState{EarlyData: true}, nil
	}
	srv, err := NewServer(serverConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := srv.configs[wire.Version1].UnwrapSession(nil, tls.ConnectionState{})
	if err != nil || session.EarlyData {
		t.Errorf("a session is %+v, %v", session, err)
	}
}

func refuseEarlyData(t *testing.T, serverConfig, clientConfig *tls.Config) {
	cache := tls.NewLRUClientSessionCache(1)
	clientConfig.ClientSessionCache = cache
	srv, err := NewServer(serverConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(clientConfig, "localhost", false)
	if err != nil {
		t.Fatal(err)
	}
	c, s := run(t, client, srv.NewConn(), math.MaxInt)
	wantDone(t, c, s)

	session, _ := cache.Get("localhost")
	ticket, state, err := session.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	state.EarlyData = true
	if session, err = tls.NewResumptionState(ticket, state); err != nil {
		t.Fatal(err)
	}
	cache.Put("localhost", session)

	if client, err = NewClient(clientConfig, "localhost", false); err != nil {
		t.Fatal(err)
	}
	c, s = run(t, client, srv.NewConn(), math.MaxInt)
	wantDone(t, c, s) // four secrets, none of them for 0-RTT
	if !c.conn.ConnectionState().DidResume {
		t.Error("the session was not resumed")
	}
}

func TestNoTicketsWhenDisabled(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	serverConfig.SessionTicketsDisabled = true
	clientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
		wantDone(t, c, s)
		if c.conn.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
	}
}

// wantAlert checks that err is the alert and wraps its reason.
func wantAlert(t *testing.T, err error, code uint8) *engine.TLSAlert {
	t.Helper()
	var alert *engine.TLSAlert
	if !errors.As(err, &alert) || alert.Code != code || alert.Err == nil {
		t.Fatalf("error is %v, want alert %d", err, code)
	}
	return alert
}

func TestALPNMismatch(t *testing.T) {
	for name, protos := range map[string][]string{"other": {"doq"}, "none": nil} {
		serverConfig, clientConfig := testConfigs(t)
		clientConfig.NextProtos = protos
		c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
		if c.done || s.done || c.err != nil {
			t.Errorf("%s: client: done %v, %v; server: done %v", name, c.done, c.err, s.done)
		}
		wantAlert(t, s.err, 120) // no_application_protocol
	}
}

func TestCertificateErrors(t *testing.T) {
	serverConfig, _ := testConfigs(t)
	_, otherClient := testConfigs(t)
	c, _ := connect(t, serverConfig, otherClient, math.MaxInt)
	var unverified *tls.CertificateVerificationError
	if alert := wantAlert(t, c.err, 42); !errors.As(alert, &unverified) { // bad_certificate
		t.Errorf("unknown authority: %v, want a CertificateVerificationError", alert)
	}

	serverConfig, clientConfig := testConfigs(t)
	clientConfig.ServerName = "example.com"
	c, _ = connect(t, serverConfig, clientConfig, math.MaxInt)
	wantAlert(t, c.err, 42)

	clientConfig.InsecureSkipVerify = true
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)
	if got := s.conn.ConnectionState().ServerName; got != "example.com" {
		t.Errorf("server name is %q, want example.com", got)
	}
}

// brokenKey is a private key that cannot sign.
type brokenKey struct{ crypto.Signer }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is in a drawer")
}

// TestLateServerError: crypto/tls signs after it was given the transport
// parameters; HandleData returns the error nevertheless.
func TestLateServerError(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	cert := &serverConfig.Certificates[0]
	cert.PrivateKey = brokenKey{cert.PrivateKey.(crypto.Signer)}
	_, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	if alert := wantAlert(t, s.err, alertInternalError); !strings.Contains(alert.Error(), "in a drawer") {
		t.Errorf("error is %v", alert)
	}
	if err := s.conn.HandleData(wire.InitialLevel, []byte("more")); err != s.err {
		t.Errorf("the next call returns %v, want the same error", err)
	}
}

func TestServerWithoutCertificate(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	serverConfig.Certificates = nil
	serverConfig.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
	_, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantAlert(t, s.err, 112) // unrecognized_name
}

func TestClientCertificate(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	serverConfig.ClientAuth = tls.RequireAnyClientCert
	clientConfig.Certificates = serverConfig.Certificates
	c, s := connect(t, serverConfig, clientConfig, 500)
	wantDone(t, c, s)
	if got := s.conn.ConnectionState().PeerCertificates; len(got) != 1 {
		t.Errorf("the server has %d certificates of the client, want 1", len(got))
	}
}

func TestGetConfigForClient(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	chosen := serverConfig.Clone()
	chosen.NextProtos = []string{"doq"}
	clientConfig.NextProtos = []string{"doq"}
	serverConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		switch hello.ServerName {
		case "localhost":
			return chosen, nil // has no MinVersion
		case "default":
			return nil, nil
		}
		return nil, errors.New("unknown name")
	}
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)

	clientConfig.ServerName, clientConfig.InsecureSkipVerify = "default", true
	_, s = connect(t, serverConfig, clientConfig, math.MaxInt)
	wantAlert(t, s.err, 120) // the default configuration has no doq

	clientConfig.ServerName = "other"
	_, s = connect(t, serverConfig, clientConfig, math.MaxInt)
	wantAlert(t, s.err, alertInternalError)

	chosen.MaxVersion = tls.VersionTLS12
	clientConfig.ServerName = "localhost"
	_, s = connect(t, serverConfig, clientConfig, math.MaxInt)
	if alert := wantAlert(t, s.err, alertInternalError); !errors.Is(alert, ErrTLS13) {
		t.Errorf("error is %v, want ErrTLS13", alert)
	}
}

func TestConfigErrors(t *testing.T) {
	tls12 := &tls.Config{MaxVersion: tls.VersionTLS12}
	if _, err := NewServer(tls12, nil); !errors.Is(err, ErrTLS13) {
		t.Errorf("NewServer: %v, want ErrTLS13", err)
	}
	if _, err := NewClient(tls12, "localhost", false); !errors.Is(err, ErrTLS13) {
		t.Errorf("NewClient: %v, want ErrTLS13", err)
	}
	client, err := NewClient(nil, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	wantAlert(t, client.Start(wire.Version1, nil), alertInternalError) // neither ServerName nor InsecureSkipVerify
}

func TestConfigIsNotChanged(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)
	if serverConfig.MinVersion != 0 || clientConfig.MinVersion != 0 || clientConfig.ServerName != "" {
		t.Error("the caller's tls.Config was changed")
	}
}

// TestMessagesAfterHandshake: a server accepts none (RFC 9001, Section 6), a
// client only tickets.
func TestMessagesAfterHandshake(t *testing.T) {
	keyUpdate := []byte{24, 0, 0, 1, 0}
	serverConfig, clientConfig := testConfigs(t)
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)
	wantAlert(t, s.conn.HandleData(wire.OneRTTLevel, keyUpdate), alertUnexpectedMessage)
	wantAlert(t, c.conn.HandleData(wire.OneRTTLevel, keyUpdate), alertUnexpectedMessage)
}

func TestJunk(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	for name, junk := range map[string][]byte{
		"unknown message": {99, 0, 0, 0},
		"too long":        {1, 0xff, 0xff, 0xff},
		"malformed hello": {1, 0, 0, 2, 3, 3},
	} {
		_, server := newPair(t, serverConfig, clientConfig)
		s := newEnd(server)
		if err := server.HandleData(wire.InitialLevel, junk); err != nil {
			t.Fatal(err)
		}
		s.poll()
		var alert *engine.TLSAlert
		if !errors.As(s.err, &alert) {
			t.Errorf("%s: %v, want an alert", name, s.err)
		}
		server.Close()
	}
}

func TestCloseEarly(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	client, server := newPair(t, serverConfig, clientConfig)
	server.Close() // not started
	if err := client.Start(wire.Version1, []byte("parameters")); err != nil {
		t.Fatal(err)
	}
	client.Close() // started
	client.Close()
	if e := client.NextEvent(); e.Kind != engine.TLSNoEvent {
		t.Errorf("event %d after Close", e.Kind)
	}
	if err := server.SendSessionTicket(); err != nil {
		t.Errorf("SendSessionTicket after Close: %v", err)
	}
}
