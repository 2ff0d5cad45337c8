package demo

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/webtransport"
)

// serveHTTP3 serves a handler over HTTP/3, with WebTransport, and returns the
// server's URL and the hash of its certificate.
func serveHTTP3(t *testing.T, handler http.Handler) (url string, hash [sha256.Size]byte) {
	t.Helper()
	leak.Check(t)
	cert, hash, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return "https://" + ln.Addr().String(), hash
}

// serveWT serves all routes and returns a function that opens sessions.
func serveWT(t *testing.T) func(path string, protocols ...string) (*webtransport.Session, error) {
	t.Helper()
	handler := New(Options{})
	url, hash := serveHTTP3(t, handler)
	return func(path string, protocols ...string) (*webtransport.Session, error) {
		d := &webtransport.Dialer{ServerCertificateHashes: [][sha256.Size]byte{hash}, Protocols: protocols}
		s, _, err := d.Dial(wtContext(t), url+path, nil)
		if err == nil {
			t.Cleanup(func() { _ = s.CloseWithError(0, "") })
		}
		return s, err
	}
}

func wtContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustDial(t *testing.T, s *webtransport.Session, err error) *webtransport.Session {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// readUni reads the next unidirectional stream of the server's.
func readUni(t *testing.T, s *webtransport.Session) (string, error) {
	t.Helper()
	st, err := s.AcceptUniStream(wtContext(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(st)
	return string(b), err
}

// sendUni sends a unidirectional stream.
func sendUni(t *testing.T, s *webtransport.Session, text string) {
	t.Helper()
	st, err := s.OpenUniStream(wtContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(st, text)
	_ = st.Close()
}

func TestWTEcho(t *testing.T) {
	dial := serveWT(t)
	opened, err := dial("/wt/echo")
	s := mustDial(t, opened, err)
	st, err := s.OpenStream(wtContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(st, "hello")
	_ = st.Close()
	if b, err := io.ReadAll(st); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	sendUni(t, s, "one way")
	if text, err := readUni(t, s); text != "one way" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	_ = s.SendDatagram([]byte("ping"))
	if p, err := s.ReceiveDatagram(wtContext(t)); err != nil || string(p) != "ping" {
		t.Errorf("%q, %v", p, err)
	}
	reset, err := s.OpenStream(wtContext(t))
	if err != nil {
		t.Fatal(err)
	}
	reset.CancelWrite(42)
	_, err = io.ReadAll(reset)
	var cancelled *webtransport.StreamError
	if !errors.As(err, &cancelled) || cancelled.Code != 42 || !cancelled.Remote {
		t.Errorf("reset: %v", err)
	}
}

// TestWTAbout: the server tells what the session is before it sends anything back.
func TestWTAbout(t *testing.T) {
	dial := serveWT(t)
	opened, err := dial("/wt/echo?about")
	s := mustDial(t, opened, err)
	text, err := readUni(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var told sessionInfo
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if told.Draft != s.Draft().String() || told.FlowControlled != s.FlowControlled() || told.MaxDatagram < 1000 || told.TLS == nil || told.TLS.ALPN != "h3" {
		t.Errorf("%s", text)
	}
	sendUni(t, s, "after it")
	if text, err := readUni(t, s); text != "after it" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWTPush(t *testing.T) {
	dial := serveWT(t)
	opened, err := dial("/wt/push")
	s := mustDial(t, opened, err)
	st, err := s.AcceptStream(wtContext(t))
	if err != nil {
		t.Fatal(err)
	}
	bidi, err := io.ReadAll(st)
	if err != nil || string(bidi) != "hello" {
		t.Errorf("bidirectional %q, %v", bidi, err)
	}
	if text, err := readUni(t, s); text != "hello" || err != nil {
		t.Errorf("unidirectional %q, %v", text, err)
	}
	if p, err := s.ReceiveDatagram(wtContext(t)); err != nil || string(p) != "hello" {
		t.Errorf("datagram %q, %v", p, err)
	}
}

func TestWTCloseAndDrain(t *testing.T) {
	dial := serveWT(t)
	opened, err := dial("/wt/close?code=4294967295&reason=as%20asked")
	s := mustDial(t, opened, err)
	<-s.Context().Done()
	var closed *webtransport.SessionError
	if err := context.Cause(s.Context()); !errors.As(err, &closed) || closed.Code != 1<<32-1 || closed.Reason != "as asked" || !closed.Remote {
		t.Errorf("closed with %v", err)
	}
	opened, err = dial("/wt/drain")
	s = mustDial(t, opened, err)
	select {
	case <-s.Draining():
	case <-wtContext(t).Done():
		t.Error("not asked to end")
	}
}

func TestWTReject(t *testing.T) {
	dial := serveWT(t)
	for path, want := range map[string]int{
		"/wt/reject": 403, "/wt/reject?status=404": 404, "/wt/reject?status=302": 302,
		"/wt/reject?status=200": 400, "/wt/reject?status=x": 400, "/hello": 405, "/wt/nothing": 404,
	} {
		_, err := dial(path)
		var rejected *webtransport.RejectedError
		if !errors.As(err, &rejected) || rejected.StatusCode != want {
			t.Errorf("%s: %v, want status %d", path, err, want)
		}
	}
}

func TestWTSubprotocol(t *testing.T) {
	dial := serveWT(t)
	for want, offer := range map[string][]string{"b": {"a", "b", "c"}, "": {"a", "c"}} {
		opened, err := dial("/wt/subprotocol", offer...)
		if s := mustDial(t, opened, err); s.Protocol() != want {
			t.Errorf("%v: %q, want %q", offer, s.Protocol(), want)
		}
	}
}

// awaitMember sends datagrams until one arrives: the server tells nobody who takes
// part.
func awaitMember(t *testing.T, from, to *webtransport.Session) {
	t.Helper()
	for deadline := wtContext(t); ; {
		_ = from.SendDatagram([]byte("there?"))
		ctx, cancel := context.WithTimeout(deadline, 20*time.Millisecond)
		_, err := to.ReceiveDatagram(ctx)
		cancel()
		if err == nil {
			return
		}
		if deadline.Err() != nil {
			t.Fatal("no datagram arrives")
		}
	}
}

func TestWTChat(t *testing.T) {
	dial := serveWT(t)
	var members []*webtransport.Session
	for range 3 {
		opened, err := dial("/wt/chat")
		s := mustDial(t, opened, err)
		for _, other := range members {
			awaitMember(t, s, other)
			awaitMember(t, other, s)
		}
		members = append(members, s)
	}
	sendUni(t, members[0], "all")
	for _, s := range members[1:] {
		if text, err := readUni(t, s); text != "all" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
}
