package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// TestGetDatagrams: what is sent comes back, each as a line.
func TestGetDatagrams(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	file := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		name         string
		args         []string
		stdout, file string // in a pattern, * stands for anything
	}{
		{"one", []string{"--datagram", "hello"}, "hello\n", ""},
		{"several", []string{"--datagram", "one", "--datagram", "", "--datagram", "a,b"}, "one\n\na,b\n", ""},
		{"header", []string{"-i", "--datagram", "hello"}, "HTTP/3 200 \r\n*\r\n\r\nhello\n", ""},
		{"file", []string{"-o", file, "--datagram", "hello"}, "", "hello\n"},
		{"quietly", []string{"-s", "-f", "-H", "Capsule-Protocol: ?1", "--datagram", "hello"}, "hello\n", ""},
		{"protocol", []string{"--protocol", "datagram-echo", "--wait", "10", "--datagram", "hello"}, "hello\n", ""},
	} {
		r := godwit(t, "", append([]string{"get", "-k", s.url("/echo")}, tt.args...)...)
		before, after, _ := strings.Cut(tt.stdout, "*")
		if r.code != exitOK || r.stderr != "" || !strings.HasPrefix(r.stdout, before) || !strings.HasSuffix(r.stdout, after) || after == "" && r.stdout != before {
			t.Errorf("%s: %+v, want %q", tt.name, r, tt.stdout)
		}
		if got, _ := os.ReadFile(file); string(got) != tt.file && tt.file != "" {
			t.Errorf("%s: the file has %q", tt.name, got)
		}
	}
}

// TestGetDatagramsRefused: the server of the demo says why it does not want them.
func TestGetDatagramsRefused(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	silent := "https://" + silentAddr(t)
	for _, tt := range []struct {
		name, url string
		args      []string
		code      int
		want      string // of the line on standard error
	}{
		{"another protocol", s.url("/echo"), []string{"--protocol", "connect-udp"}, exitHTTPStatus, "refused the request with status 501 Not Implemented: only the protocol datagram-echo"},
		{"another route", s.url("/hello"), nil, exitHTTPStatus, "refused the request with status 405 Method Not Allowed\n"},
		{"redirect", s.url("/wt/reject?status=302"), nil, exitHTTPStatus, "refused the request with status 302 Found: refused, as you asked\n"},
		{"too large", s.url("/echo"), []string{"--datagram", strings.Repeat("x", 5000)}, exitFailure, "/echo: 5000 bytes do not fit into a datagram of 1"},
		{"no token", s.url("/echo"), []string{"--protocol", "a b"}, exitFailure, "invalid protocol"},
		{"no file", s.url("/echo"), []string{"-o", "no/such/directory"}, curlWrite, "no/such/directory"},
		{"nobody there", silent, []string{"-m", "100ms"}, curlTimeout, silent + ": not done after 100ms: no connection yet"},
	} {
		r := godwit(t, "", append([]string{"get", "-k", "--datagram", "hello", tt.url}, tt.args...)...)
		if r.code != tt.code || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%s: %+v, want %q", tt.name, r, tt.want)
		}
	}
}

// serveHTTP3 serves a handler over HTTP/3 and returns the server's URL.
func serveHTTP3(t *testing.T, srv *http3.Server) string {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
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
	return "https://" + ln.Addr().String()
}

// echoOnly sends back what is no loss, and ends the tunnel at "end".
func echoOnly(w http.ResponseWriter, _ *http.Request) {
	tunnel, err := http3.AcceptTunnel(w)
	if err != nil {
		return
	}
	defer tunnel.Close()
	for {
		p, err := tunnel.ReceiveDatagram(context.Background())
		if err != nil || string(p) == "end" {
			return
		}
		if !bytes.HasPrefix(p, []byte("loss")) {
			_ = tunnel.SendDatagram(p)
		}
	}
}

// TestGetDatagramsLost: what comes back is shown, and what does not is told.
func TestGetDatagramsLost(t *testing.T) {
	url := serveHTTP3(t, &http3.Server{Handler: http.HandlerFunc(echoOnly), EnableExtendedConnect: true, EnableDatagrams: true})
	for _, tt := range []struct {
		args         []string
		stdout, want string
	}{
		{[]string{"--datagram", "a", "--datagram", "loss 1", "--datagram", "b", "--datagram", "loss 2", "--wait", "100ms"}, "a\nb\n",
			url + ": 2 of 4 datagrams did not come back: nothing has come for 100ms\n"},
		{[]string{"--datagram", "a", "--datagram", "end", "--wait", "1m"}, "a\n", "1 of 2 datagrams did not come back: the tunnel has ended\n"},
		{[]string{"--datagram", "a", "--datagram", "loss", "--wait", "1m", "-m", "200ms"}, "a\n", url + ": not done after 200ms\n"},
		{[]string{"--datagram", "loss", "--wait", "10ms", "-s"}, "", ""},
	} {
		r := godwit(t, "", append([]string{"get", "-k", url}, tt.args...)...)
		code := exitFailure
		if slices.Contains(tt.args, "-m") {
			code = curlTimeout
		}
		if r.code != code || r.stdout != tt.stdout || !strings.Contains(r.stderr, tt.want) || tt.want == "" && r.stderr != "" {
			t.Errorf("%v: %+v, want %q", tt.args, r, tt.want)
		}
	}
}

// TestGetDatagramsUnsupported: servers lack this or that.
func TestGetDatagramsUnsupported(t *testing.T) {
	url := serveHTTP3(t, &http3.Server{Handler: http.HandlerFunc(echoOnly), EnableDatagrams: true})
	if r := godwit(t, "", "get", "-k", "--datagram", "x", url); r.code != exitFailure || !strings.Contains(r.stderr, "the server does not take extended CONNECT requests (it speaks HTTP/3; godwit get without --datagram works)\n") {
		t.Errorf("without extended CONNECT: %+v", r)
	}
	url = serveHTTP3(t, &http3.Server{Handler: http.HandlerFunc(echoOnly), EnableExtendedConnect: true})
	if r := godwit(t, "", "get", "-k", "--datagram", "x", url); r.code != exitFailure || !strings.Contains(r.stderr, url+": the server takes no datagrams, though it has accepted the request\n") {
		t.Errorf("without datagrams: %+v", r)
	}
}

// TestGetDatagramsUnanswered: neither an answer nor a refusal's end is waited for
// longer than allowed.
func TestGetDatagramsUnanswered(t *testing.T) {
	url := serveHTTP3(t, &http3.Server{EnableExtendedConnect: true, EnableDatagrams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})})
	for _, path := range []string{"/answer", "/refuse"} {
		r := godwit(t, "", "get", "-k", "-m", "200ms", "--datagram", "x", url+path)
		if r.code != curlTimeout || !strings.Contains(r.stderr, path+": not done after 200ms\n") {
			t.Errorf("%+v", r)
		}
	}
}

// TestGetDatagramsInterrupt: an interrupt ends the wait.
func TestGetDatagramsInterrupt(t *testing.T) {
	answered := make(chan struct{})
	url := serveHTTP3(t, &http3.Server{EnableExtendedConnect: true, EnableDatagrams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(answered)
		echoOnly(w, r)
	})})
	signals := make(chan os.Signal, 1)
	a := &app{stdin: strings.NewReader(""), stdout: new(lockedBuffer), stderr: new(lockedBuffer), getenv: func(string) string { return "" }, signals: signals}
	code := make(chan int, 1)
	go func() { code <- a.run([]string{"get", "-k", "--wait", "10m", "--datagram", "loss", url}) }()
	<-answered
	signals <- os.Interrupt
	if got := <-code; got != exitInterrupted {
		t.Errorf("exit code %d", got)
	}
}

// TestGetDatagramsUsage: what makes no sense is refused before anything is sent.
func TestGetDatagramsUsage(t *testing.T) {
	const url = "https://localhost:1/"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--http1.1"}, "not with --http1.1"},
		{[]string{"--http2"}, "not with --http2"},
		{[]string{"-X", "GET"}, "not with --request"},
		{[]string{"-d", "x"}, "not with --data"},
		{[]string{"--json", "{}"}, "not with --json"},
		{[]string{"-I"}, "not with --head"},
		{[]string{"-L"}, "not with --location"},
		{[]string{"--limit-rate", "1M"}, "not with --limit-rate"},
		{[]string{"--parallel"}, "not with --parallel"},
		{[]string{"--repeat", "2"}, "not with --repeat"},
		{[]string{url}, "one URL, not 2"},
		{[]string{"--protocol", ""}, "--protocol must not be empty"},
		{[]string{"--wait", "soon"}, "neither a number of seconds"},
	} {
		r := godwit(t, "", append([]string{"get", "--datagram", "x", url}, tt.args...)...)
		if r.code != exitUsage || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%v: %+v, want %q", tt.args, r, tt.want)
		}
	}
	for _, flag := range []string{"--protocol", "--wait"} {
		if r := godwit(t, "", "get", flag, "1", url); r.code != exitUsage || !strings.Contains(r.stderr, flag+" is for --datagram") {
			t.Errorf("%+v", r)
		}
	}
}
