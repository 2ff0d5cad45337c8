package http3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// certificateFiles writes a certificate and its key.
func certificateFiles(t *testing.T, cert *tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// attachedServer is an http.Server that serves HTTP/3 as well, with clients for both.
type attachedServer struct {
	url     string
	clients map[string]*http.Client // by protocol
	log     *logged
}

// serveAttached serves with a certificate from files.
func serveAttached(t *testing.T, srv *http.Server) *attachedServer {
	t.Helper()
	serverTLS, clientTLS := peertest.TLS(t)
	a := &attachedServer{log: new(logged)}
	srv.ErrorLog = log.New(a.log, "", 0)
	s := new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := certificateFiles(t, &serverTLS.Certificates[0])
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(ln, certFile, keyFile) }()
	tr := &Transport{TLSClientConfig: clientTLS}
	h2 := &http.Transport{TLSClientConfig: clientTLS.Clone(), ForceAttemptHTTP2: true}
	a.clients = map[string]*http.Client{http2: {Transport: h2}, http3: {Transport: tr}}
	a.url = "https://" + ln.Addr().String()
	t.Cleanup(func() {
		_ = tr.Close()
		h2.CloseIdleConnections()
		_ = srv.Close()
		_ = s.Close()
		<-served
	})
	if !eventually(func() bool { return s.altSvc.Load() != nil }) {
		t.Fatalf("HTTP/3 is not served:\n%s", a.log)
	}
	return a
}

// get returns the status and the content of a response, or what is wrong.
func (a *attachedServer) get(t *testing.T, protocol, method, path string, edit func(*http.Request)) string {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), method, a.url+strings.TrimSuffix(path, "*"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if path == "*" {
		req.URL.Opaque = path
	}
	if edit != nil {
		edit(req)
	}
	resp, err := a.clients[protocol].Do(req)
	if err != nil {
		return "an error"
	}
	defer resp.Body.Close()
	content, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, content)
}

type testKey string

// TestAttachedFields sets fields of an http.Server, and wants the same over HTTP/2 and
// HTTP/3.
func TestAttachedFields(t *testing.T) {
	fields := func(n int) func(*http.Request) {
		return func(r *http.Request) {
			for i := range n {
				r.Header.Add("X-Name", fmt.Sprint(i))
			}
		}
	}
	long := func(n int) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Long", strings.Repeat("x", n)) }
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		srv, _ := ctx.Value(http.ServerContextKey).(*http.Server)
		fmt.Fprint(w, "path ", r.URL.Path, " base ", ctx.Value(testKey("base")), " conn ", ctx.Value(testKey("conn")),
			" server ", srv != nil && srv.MaxHeaderBytes == 0 && srv.ErrorLog != nil)
		_ = ctx.Err()
	})
	for name, tt := range map[string]struct {
		srv          *http.Server
		method, path string
		edit         func(*http.Request)
		want         string
		since        string // the field that this version of Go must have
	}{
		"Handler":            {srv: &http.Server{}, want: "200 path / base <nil> conn <nil> server true"},
		"OPTIONS":            {srv: &http.Server{}, method: "OPTIONS", path: "*", want: "200 "},
		"OPTIONS to handler": {srv: &http.Server{DisableGeneralOptionsHandler: true}, method: "OPTIONS", path: "*", want: "200 path * base <nil> conn <nil> server true"},
		"BaseContext": {srv: &http.Server{BaseContext: func(ln net.Listener) context.Context {
			return context.WithValue(context.Background(), testKey("base"), ln != nil)
		}}, want: "200 path / base true conn <nil> server true"},
		"ConnContext": {srv: &http.Server{
			BaseContext: func(net.Listener) context.Context { return context.WithValue(context.Background(), testKey("base"), 1) },
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				_, hasServer := ctx.Value(http.ServerContextKey).(*http.Server)
				return context.WithValue(ctx, testKey("conn"), fmt.Sprint(c.RemoteAddr() != nil && c.LocalAddr() != nil && hasServer))
			},
		}, want: "200 path / base 1 conn true server true"},
		"header of 300 KiB":     {srv: &http.Server{}, edit: long(300 << 10), want: "200 path / base <nil> conn <nil> server true"},
		"header count":          {srv: &http.Server{}, edit: fields(400), want: "200 path / base <nil> conn <nil> server true"},
		"header count too high": {srv: &http.Server{}, edit: fields(501), want: "431 ", since: "MaxHeaderValueCount"},
	} {
		if tt.since != "" && !headerValueCount(tt.srv).IsValid() {
			t.Logf("left out: %s, as this version of Go has no http.Server.%s", name, tt.since)
			continue
		}
		tt.srv.Handler = handler
		a := serveAttached(t, tt.srv)
		for _, protocol := range []string{http2, http3} {
			got := a.get(t, protocol, tt.method, tt.path, tt.edit)
			if !strings.HasPrefix(got, tt.want) || (tt.want != "431 " && got != tt.want) {
				t.Errorf("%s over %s: %s, want %s", name, protocol, got, tt.want)
			}
		}
	}
}

// TestAttachedHandlerIsReplaced: the handler is that which the server has when it
// begins to serve, and at the time of the request.
func TestAttachedHandlerIsReplaced(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	answer := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
	}
	srv, s := &http.Server{Handler: answer("first"), TLSConfig: serverTLS}, new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	srv.Handler = answer("second")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	srv.BaseContext(ln)
	defer s.Close()
	for _, want := range []string{"second", "third"} {
		for _, h := range []http.Handler{srv.Handler, s.Handler} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if got := w.Body.String(); got != want {
				t.Errorf("answered by the %s handler, want the %s", got, want)
			}
		}
		if _, ok := srv.Handler.(*advertiser); ok != (want == "second") {
			t.Errorf("the %s handler advertises HTTP/3: %v", want, ok)
		}
		srv.Handler = answer("third")
	}
}

// TestAttachedErrorLog: panics in handlers and broken clients are told to ErrorLog.
func TestAttachedErrorLog(t *testing.T) {
	srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("as the test wants it") })}
	a := serveAttached(t, srv)
	if got := a.get(t, http3, "GET", "/", nil); got != "an error" {
		t.Error(got)
	}
	if !eventually(func() bool { return strings.Contains(a.log.String(), "as the test wants it") }) {
		t.Errorf("logged %q", a.log)
	}
}

// TestAttachedConnContextPanics: what panics over HTTP/3 is a handler's panic, and not
// the end of the program.
func TestAttachedConnContextPanics(t *testing.T) {
	srv := &http.Server{
		Handler: http.NotFoundHandler(),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			_ = c.(*tls.Conn) // which programs do
			return ctx
		},
	}
	a := serveAttached(t, srv)
	for range 2 {
		if got := a.get(t, http3, "GET", "/", nil); got != "an error" {
			t.Error(got)
		}
	}
	if got := a.get(t, http2, "GET", "/", nil); !strings.HasPrefix(got, "404") {
		t.Error(got)
	}
}

// TestContextsOfServer has an http3.Server with contexts of its own, over TCP and UDP.
func TestContextsOfServer(t *testing.T) {
	base, end := context.WithCancel(context.WithValue(context.Background(), testKey("base"), "b"))
	ended := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		_, own := ctx.Value(ServerContextKey).(*Server)
		_, std := ctx.Value(http.ServerContextKey).(*http.Server)
		fmt.Fprint(w, ctx.Value(testKey("base")), ctx.Value(testKey("conn")), " ", own, std)
		if r.URL.Path == "/wait" {
			w.(http.Flusher).Flush()
			<-ctx.Done()
			ended <- context.Cause(ctx)
		}
	}, func(s *Server) {
		s.BaseContext = func(addr net.Addr) context.Context { return context.WithValue(base, testKey("addr"), addr) }
		s.ConnContext = func(ctx context.Context, c *quic.Conn) context.Context {
			if ctx.Value(testKey("addr")).(net.Addr).String() != c.LocalAddr().String() {
				t.Errorf("address %v of a connection to %v", ctx.Value(testKey("addr")), c.LocalAddr())
			}
			return context.WithValue(ctx, testKey("conn"), "c")
		}
	})
	if _, content := ts.do(t, "GET", "/", nil); content != "bc true true" {
		t.Errorf("%q", content)
	}
	w := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/", nil)
	ts.httpServer().Handler.ServeHTTP(w, req.WithContext(ts.httpServer().BaseContext(listenerAt{addr: ts.addr})))
	if got := w.Body.String(); got != "b<nil> false false" {
		t.Errorf("over TCP %q", got)
	}
	req, _ = http.NewRequestWithContext(testContext(t), "GET", ts.url+"/wait", nil)
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	end()
	if err := wait(t, "the context's end", ended); err != context.Canceled {
		t.Errorf("the cause is %v", err)
	}
}

// listenerAt is a listener that is not served.
type listenerAt struct {
	net.Listener
	addr string
}

func (l listenerAt) Addr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", l.addr)
	return addr
}
