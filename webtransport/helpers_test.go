package webtransport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// patience is how long tests wait for what must happen; only a test that fails
// uses it up.
const patience = 10 * time.Second

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// testServer is a server on loopback whose sessions a test gets from accept.
type testServer struct {
	*http3.Server
	t         testing.TB
	transport *quic.Transport // to listen on; nil for one of its own
	addr      string
	sessions  chan *Session
	failed    chan error // of Upgrade
}

// serve starts a server that upgrades every request, for the time of a test. In
// the end it checks that no goroutine is left.
func serve(t testing.TB, conf *Config, upgrader *UpgradeConfig) *testServer {
	t.Helper()
	leak.Check(t)
	if upgrader == nil {
		upgrader = new(UpgradeConfig)
	}
	ts := &testServer{t: t, sessions: make(chan *Session, 100), failed: make(chan error, 100)}
	return ts.start(conf, func(w http.ResponseWriter, r *http.Request) {
		session, err := upgrader.Upgrade(w, r)
		if err != nil {
			ts.failed <- err
			return
		}
		ts.sessions <- session
	})
}

// serveHandler is serve for a test with a handler of its own.
func serveHandler(t testing.TB, conf *Config, handler http.HandlerFunc) *testServer {
	t.Helper()
	leak.Check(t)
	return (&testServer{t: t}).start(conf, handler)
}

func (ts *testServer) start(conf *Config, handler http.HandlerFunc) *testServer {
	return ts.startWith(newExtension(conf.machine(), false), handler)
}

// startWith starts a server with any extension, or none.
func (ts *testServer) startWith(e h3ext.Extension, handler http.HandlerFunc) *testServer {
	serverTLS, _ := peertest.TLS(ts.t)
	ts.Server = &http3.Server{Handler: handler, TLSConfig: serverTLS, Logger: slog.New(slog.DiscardHandler)}
	ts.Server.QUICConfig = quicConfig(new(Config).machine(), nil)
	h3ext.HTTP3.ExtendServer(ts.Server, e, "", nil)
	ln, err := ts.listen()
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- ts.Serve(ln) }()
	ts.t.Cleanup(func() {
		_ = ts.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			ts.t.Errorf("Serve: %v", err)
		}
	})
	return ts
}

func (ts *testServer) listen() (*quic.Listener, error) {
	if ts.transport != nil {
		return ts.ListenOn(ts.transport)
	}
	return ts.Listen("127.0.0.1:0")
}

// dialer returns a Dialer that trusts the server.
func (ts *testServer) dialer() *Dialer {
	_, clientTLS := peertest.TLS(ts.t)
	return &Dialer{TLSClientConfig: clientTLS}
}

// dial opens a session with a Dialer that may be nil.
func (ts *testServer) dial(d *Dialer) *Session {
	ts.t.Helper()
	if d == nil {
		d = ts.dialer()
	}
	s, _, err := d.Dial(testContext(ts.t), "https://"+ts.addr+"/", nil)
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.t.Cleanup(func() { _ = s.CloseWithError(0, "") })
	return s
}

// accept returns the next session at the server.
func (ts *testServer) accept() *Session {
	ts.t.Helper()
	return wait(ts.t, "a session", ts.sessions)
}

// pair returns both ends of a new session.
func (ts *testServer) pair(d *Dialer) (client, server *Session) {
	ts.t.Helper()
	client = ts.dial(d)
	return client, ts.accept()
}

// wait waits for a channel to be closed or sent to.
func wait[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// eventually waits until f is true.
func eventually(f func() bool) bool {
	for deadline := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// readAll reads a stream to its end.
func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %d bytes, then: %v", len(b), err)
	}
	return string(b)
}

// wantStreamError checks that err is that of a stream cancelled with a code.
func wantStreamError(t testing.TB, what string, err error, code uint32, remote bool) {
	t.Helper()
	var cancelled *StreamError
	if !errors.As(err, &cancelled) || !cancelled.IsApplication || cancelled.Code != code || cancelled.Remote != remote {
		t.Errorf("%s: %v, want code %d, remote %v", what, err, code, remote)
	}
}

// wantSessionError checks that a session ends with a code and a reason.
func wantSessionError(t testing.TB, s *Session, want SessionError) {
	t.Helper()
	wait(t, "the session's end", s.Context().Done())
	var got *SessionError
	if err := context.Cause(s.Context()); !errors.As(err, &got) || *got != want {
		t.Errorf("session ended with %v, want %v", err, &want)
	}
}
