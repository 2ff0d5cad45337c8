package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// TestShutdownWaits shuts a server down while a handler runs: its response
// arrives whole, GOAWAY announces the end first and then refuses what comes
// later.
func TestShutdownWaits(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-release
		w.Write(make([]byte, 1<<20))
	})
	c := ts.dialRaw(t)
	s := c.request(true, headers(getFields))
	<-started
	done := make(chan error, 1)
	go func() { done <- ts.Shutdown(testContext(t)) }()
	control, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if id := readGoAway(t, control); id != goAwayNotice {
		t.Errorf("GOAWAY %d, want a notice", id)
	}
	if id := readGoAway(t, control); id != s.ID()+4 {
		t.Errorf("GOAWAY %d, want %d", id, s.ID()+4)
	}
	wantReset(t, "request after GOAWAY", c.request(true, headers(getFields)), h3.RequestRejected)
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned while a handler runs: %v", err)
	default:
	}
	close(release)
	if m := readMessage(t, s); len(m.content) != 1<<20 {
		t.Errorf("%d bytes", len(m.content))
	}
	if err := wait(t, "Shutdown", done); err != nil {
		t.Error(err)
	}
	c.wantClose("after Shutdown", h3.NoError)
}

// TestCloseSaysWhatWasProcessed closes a server: clients learn which requests it has not
// seen, so that they may send them again, in the packet that closes the connection.
func TestCloseSaysWhatWasProcessed(t *testing.T) {
	started := make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	c := ts.dialRaw(t)
	s := c.request(true, headers(getFields))
	<-started
	control, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := ts.Close(); err != nil {
		t.Error(err)
	}
	if id := readGoAway(t, control); id != s.ID()+4 {
		t.Errorf("GOAWAY %d, want %d", id, s.ID()+4)
	}
	c.wantClose("after Close", h3.NoError)
}

// goAwayNotice is the identifier of a GOAWAY that refuses nothing yet (RFC 9114, Section
// 5.2).
const goAwayNotice = 1<<62 - 4

// readGoAway reads a server's control stream, up to the end of the next GOAWAY.
func readGoAway(t *testing.T, s *quic.ReceiveStream) (id uint64) {
	t.Helper()
	for {
		typ := readVarint(t, s)
		if typ == uint64(h3.StreamControl) {
			continue // which begins it; there are no DATA frames on it
		}
		payload := make([]byte, readVarint(t, s))
		if _, err := io.ReadFull(s, payload); err != nil {
			t.Fatal(err)
		}
		if h3.FrameType(typ) == h3.FrameGoAway {
			id, _ = wire.ConsumeVarint(payload)
			return id
		}
	}
}

// readVarint reads an integer (RFC 9000, Section 16).
func readVarint(t *testing.T, r io.Reader) uint64 {
	t.Helper()
	b := make([]byte, 1, 8)
	_, err := io.ReadFull(r, b)
	if err == nil {
		b = b[:1<<(b[0]>>6)]
		_, err = io.ReadFull(r, b[1:])
	}
	if err != nil {
		t.Fatal(err)
	}
	v, _ := wire.ConsumeVarint(b)
	return v
}

func TestShutdownGivesUp(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-release
	})
	c := ts.dialRaw(t)
	c.request(true, headers(getFields))
	<-started
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("no patience")
	cancel(why)
	if err := ts.Shutdown(ctx); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
	if err := c.qc.Err(); err != nil {
		t.Errorf("the connection with a running handler was closed: %v", err)
	}
	close(release)
	if err := ts.Close(); err != nil {
		t.Error(err)
	}
	c.wantClose("after Close", h3.NoError)
}

func TestServeAfterClose(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS}
	ln, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
}

// TestListenerFails closes a listener behind its server's back.
func TestListenerFails(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS}
	ln, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := s.Serve(ln); !errors.Is(err, quic.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// TestSharedTransport has a server and a client on one socket.
func TestSharedTransport(t *testing.T) {
	tr, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	serverTLS, clientTLS := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "shared") })}
	ln, err := s.ListenOn(tr)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	client := &http.Client{Transport: &Transport{TLSClientConfig: clientTLS, QUICTransport: tr}}
	resp, err := client.Get("https://" + tr.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(resp.Body); string(content) != "shared" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	_ = s.Close()
	if err := wait(t, "Serve", served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// When a server has ended, whichever way, its address is free.
func TestEndFreesAddress(t *testing.T) {
	for name, end := range map[string]func(*Server) error{
		"Close":    (*Server).Close,
		"Shutdown": func(s *Server) error { return s.Shutdown(t.Context()) },
	} {
		ts := serve(t, func(http.ResponseWriter, *http.Request) {})
		ts.do(t, "GET", "/", nil)
		if err := end(ts.Server); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		conf, _ := peertest.TLS(t)
		again := &Server{TLSConfig: conf}
		ln, err := again.ListenAll(ts.addr)
		if err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		_ = ln.Close()
	}
}

// TestForeignListener serves a listener that this package did not make.
func TestForeignListener(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	ln, err := quic.Listen("127.0.0.1:0", forHTTP3(serverTLS), nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- (&Server{}).Serve(ln) }()
	transport := &Transport{TLSClientConfig: clientTLS}
	defer transport.Close()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "https://"+ln.Addr().String(), nil)
	answered := make(chan error, 1)
	go func() {
		_, err := transport.RoundTrip(req)
		answered <- err
	}()
	if err := wait(t, "Serve", served); err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
	cancel() // the client may be looking for somebody else at the address
	if err := wait(t, "the request", answered); err == nil {
		t.Error("the request was answered")
	}
}
