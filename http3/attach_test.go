package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

func TestAttach(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	srv := &http.Server{
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }),
		TLSConfig:   serverTLS,
		ReadTimeout: time.Hour, MaxHeaderBytes: 5000,
	}
	based := make(chan string, 1)
	srv.BaseContext = func(ln net.Listener) context.Context {
		based <- ln.Addr().String()
		return context.Background()
	}
	s := &Server{ReadTimeout: time.Minute}
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	if err := Attach(srv, s); err == nil {
		t.Error("attached twice")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(ln, "", "") }()
	addr := wait(t, "the listener", based)
	if !eventually(func() bool { return s.altSvc.Load() != nil }) || s.ReadTimeout != time.Minute || s.MaxHeaderBytes != 5000 {
		t.Errorf("settings %v, %d", s.ReadTimeout, s.MaxHeaderBytes)
	}
	if ts := s.Transports(); len(ts) != 1 || ts[0].LocalAddr().String() != addr {
		t.Errorf("transports %v, want one at %s", ts, addr)
	}
	u := newUpgrader(t)
	for _, want := range []string{"HTTP/2.0", "HTTP/3.0"} {
		resp, err := (&http.Client{Transport: u}).Get("https://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != want || resp.Proto != want || err != nil {
			t.Errorf("%q, %v, %v, want %s", got, resp.Proto, err, want)
		}
		resp.Body.Close()
	}
	if err := srv.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if !eventually(func() bool { return len(s.liveConns()) == 0 && s.altSvc.Load() == nil }) {
		t.Error("HTTP/3 goes on")
	}
}

// TestAttachAtOnce: no response over TCP is without Alt-Svc.
func TestAttachAtOnce(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	srv, s := &http.Server{TLSConfig: serverTLS}, new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	if srv.BaseContext == nil {
		peertest.LeaveOut(t, "net/http that leaves HTTP/3 to others", "run it with an older release of Go")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	srv.BaseContext(ln)
	if s.altSvc.Load() == nil {
		t.Error("HTTP/3 is not advertised before TCP is served")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestAttachTwoListeners: one without TLS, which is served first, does not keep HTTP/3 from
// that with a certificate of its own.
func TestAttachTwoListeners(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	text := new(logged)
	srv, s := &http.Server{ErrorLog: log.New(text, "", 0)}, new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	if srv.BaseContext == nil {
		peertest.LeaveOut(t, "net/http that leaves HTTP/3 to others", "run it with an older release of Go")
	}
	for range 2 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if text.String() != "" { // which says that the first had no certificate
			ln = tls.NewListener(ln, serverTLS)
		}
		srv.BaseContext(ln)
	}
	if n := len(s.Transports()); n != 1 {
		t.Errorf("%d addresses have HTTP/3, want one; logged %q", n, text)
	}
	if err := errors.Join(srv.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestAttachWithout lacks a certificate, and the UDP port.
func TestAttachWithout(t *testing.T) {
	text := new(logged)
	srv := &http.Server{ErrorLog: log.New(text, "", 0)}
	if err := Attach(srv, nil); err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	srv.BaseContext(plain)
	if !strings.Contains(text.String(), "certificate") {
		t.Errorf("logged %q", text)
	}
	_ = srv.Close()
	serverTLS, _ := peertest.TLS(t)
	text = new(logged)
	srv = &http.Server{TLSConfig: serverTLS, ErrorLog: log.New(text, "", 0)}
	s := new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := net.ListenPacket("udp", ln.Addr().String()); err == nil { // otherwise it is somebody else's
		defer taken.Close()
	}
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(ln, "", "") }()
	if !eventually(func() bool { return text.String() != "" }) {
		t.Error("nothing was logged")
	}
	if ts := s.Transports(); len(ts) > 0 {
		t.Errorf("there is HTTP/3 at %v", ts[0].LocalAddr())
	}
	_ = srv.Close()
	<-served
}

// fakeHook is what net/http gives to the hook of a server.
type fakeHook struct {
	http.Handler
	conf    *tls.Config
	addr    string
	errs    chan error
	stopped context.Context
}

func (h *fakeHook) Addr() string                     { return h.addr }
func (h *fakeHook) TLSConfig() *tls.Config           { return h.conf }
func (h *fakeHook) BaseContext() context.Context     { return context.Background() }
func (h *fakeHook) ListenErrHook(err error)          { h.errs <- err }
func (h *fakeHook) ShutdownContext() context.Context { return h.stopped }

// TestHooks plays net/http's part on both sides.
func TestHooks(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	port, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := port.LocalAddr().String()
	port.Close()
	srv := new(http.Server)
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })}
	s.hook(srv)
	h := &fakeHook{conf: serverTLS, addr: addr, errs: make(chan error, 1), stopped: testContext(t)}
	srv.TLSNextProto[hookName](srv, nil, h)
	if err := wait(t, "listening", h.errs); err != nil {
		t.Fatal(err)
	}

	tr := &Transport{TLSClientConfig: clientTLS}
	defer tr.Close()
	tr.Register(new(http.Transport))
	hooked := &hookedTransport{t: tr, tr: new(http.Transport)}
	changed := make(chan struct{}, 10)
	rt, err := hooked.DialClientConn(testContext(t), addr, nil, func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	c := rt.(*hookedConn)
	if err := errors.Join(c.Err(), c.Reserve()); err != nil || c.InFlight() != 1 || c.Available() == 0 {
		t.Errorf("%v, %d in flight, %d available", err, c.InFlight(), c.Available())
	}
	resp, err := c.RoundTrip(mustRequest(t, "https://"+addr))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := c.InFlight(); n != 0 {
		t.Errorf("%d in flight in the end", n)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	wait(t, "the hook", changed)
	if _, err := c.RoundTrip(mustRequest(t, "https://"+addr)); err == nil || c.Err() == nil || c.Reserve() == nil || c.Available() != 0 {
		t.Errorf("a closed connection: %v", err)
	}
	if _, err := hooked.DialClientConn(testContext(t), addr, mustRequest(t, "https://proxy.example").URL, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("through a proxy: %v", err)
	}
	if err := srv.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if !eventually(s.closing.Load) {
		t.Error("the server was not shut down")
	}
}

func mustRequest(t *testing.T, url string) *http.Request {
	req, err := http.NewRequestWithContext(testContext(t), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
