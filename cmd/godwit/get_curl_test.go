package main

import (
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// serveAll serves a handler over all versions of HTTP, at 127.0.0.1.
func serveAll(t *testing.T, h http.Handler, conf *tls.Config) (url string) {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if conf == nil {
		conf = new(tls.Config)
	}
	conf.Certificates = []tls.Certificate{cert}
	srv := &http3.Server{Handler: h, TLSConfig: conf, Logger: slog.New(slog.DiscardHandler)}
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return "https://" + ln.Addr().String()
}

// describe answers with what a request was.
func describeRequest(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s %d\n%s", r.Method, r.URL.RequestURI(), r.ContentLength, body)
	for _, name := range []string{"Content-Type", "Authorization", "User-Agent", "Referer", "Cookie", "Range", "Accept-Encoding"} {
		if values := r.Header[name]; values != nil {
			fmt.Fprintf(w, "\n%s: %s", name, values[0])
		}
	}
}

// TestGetRequests: the flags of requests mean what curl's mean.
func TestGetRequests(t *testing.T) {
	url := serveAll(t, http.HandlerFunc(describeRequest), nil)
	lines := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(lines, []byte("a\r\nb\x00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"-d", "@" + lines}, []string{"POST / -1\nab\nContent-Type: application/x-www-form-urlencoded"}},
		{[]string{"-d", "x=1", "-d", "@" + lines, "--data-raw", "@y"}, []string{"\nx=1&ab&@y\n"}},
		{[]string{"--data-binary", "@" + lines}, []string{"POST / 6\na\r\nb\x00\n"}},
		{[]string{"--data-urlencode", "a=b c", "--data-urlencode", "&"}, []string{"\na=b+c&%26\n"}},
		{[]string{"-G", "-d", "q=1", "--data-urlencode", "r=ä"}, []string{"GET /?q=1&r=%C3%A4 0\n"}},
		{[]string{"--json", `{"a":`, "--json", "1}"}, []string{"POST / 7\n{\"a\":1}\nContent-Type: application/json"}},
		{[]string{"-T", lines}, []string{"PUT /lines 6\na\r\n"}},
		{[]string{"-T", "-"}, []string{"PUT / -1\ntyped\n"}},
		{[]string{"-u", "me:secret"}, []string{"Authorization: Basic bWU6c2VjcmV0"}},
		{[]string{"-A", "me/1", "-e", "https://before/", "-b", "a=1", "-b", "b=2"}, []string{"User-Agent: me/1\nReferer: https://before/\nCookie: a=1; b=2"}},
		{[]string{"-H", "Referer;", "-H", "Cookie: a=1"}, []string{"\nReferer: \nCookie: a=1"}},
		{[]string{"-r", "0-9"}, []string{"Range: bytes=0-9"}},
		{[]string{"--compressed"}, []string{"Accept-Encoding: zstd, br, gzip, deflate"}},
		{[]string{"-F", "a=1", "-F", "f=@" + lines + ";type=text/x", "-F", "g=<" + lines, "--form-string", "h=@1"}, []string{
			"form-data; name=\"a\"\r\n\r\n1\r\n", "name=\"f\"; filename=\"lines\"\r\nContent-Type: text/x\r\n\r\na\r\nb\x00\n", "name=\"g\"\r\n\r\na\r\nb", "name=\"h\"\r\n\r\n@1\r\n",
			"Content-Type: multipart/form-data; boundary=",
		}},
	} {
		r := godwit(t, "typed", append([]string{"get", "-k", url + "/"}, tt.args...)...)
		if r.code != exitOK || r.stderr != "" {
			t.Errorf("%q: %+v", tt.args, r)
		}
		for _, want := range tt.want {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%q: %q lacks %q", tt.args, r.stdout, want)
			}
		}
	}
	for _, args := range [][]string{{"-d", "x", "-T", lines}, {"-C", "-", "-r", "1"}, {"-C", "x"}, {"-F", "novalue"}, {"-4", "-6"}, {"-T", lines, "-T", lines}, {"--key", lines}} {
		if r := godwit(t, "", append([]string{"get", "-k", url}, args...)...); r.code != exitUsage || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%q: %+v", args, r)
		}
	}
	for target, want := range map[string]string{url + "/./a/../b": "GET /b 0", url: "GET / 0", url + "/a//b/": "GET /a//b/ 0"} {
		if r := godwit(t, "", "get", "-k", target); !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%s: %+v", target, r)
		}
	}
	if r := godwit(t, "", "get", "-k", "-T", lines, url); !strings.HasPrefix(r.stdout, "PUT /lines 6\n") {
		t.Errorf("-T to a host: %+v", r)
	}
	for code, bad := range map[int]string{curlURL: "https:///path", curlProtocol: "ftp://host/"} {
		if r := godwit(t, "", "get", bad); r.code != code {
			t.Errorf("%s: %+v", bad, r)
		}
	}
}

// TestGetFallsBack: without HTTP/3 a URL comes over TCP, and that is said; with nobody
// there both are named, and the code is curl's.
func TestGetFallsBack(t *testing.T) {
	tcp := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Proto, body)
	}))
	tcp.EnableHTTP2 = true
	tcp.StartTLS()
	defer tcp.Close()
	for _, tt := range []struct {
		args         []string
		stdout, says string
	}{
		{[]string{tcp.URL}, "HTTP/2.0 ", ": no HTTP/3 ("},
		{[]string{"-d", "sent once", tcp.URL}, "HTTP/2.0 sent once", ": using TCP\n"},
		{[]string{"-s", tcp.URL}, "HTTP/2.0 ", ""},
		{[]string{"-Z", tcp.URL, tcp.URL, tcp.URL}, "HTTP/2.0 HTTP/2.0 HTTP/2.0 ", ": using TCP\n"},
		{[]string{"--http1.1", tcp.URL}, "HTTP/1.1 ", ""},
	} {
		r := godwit(t, "", append([]string{"get", "-k"}, tt.args...)...)
		if r.code != exitOK || r.stdout != tt.stdout || !strings.Contains(r.stderr, tt.says) || strings.Count(r.stderr, "\n") > 1 || tt.says == "" && r.stderr != "" {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
	if r := godwit(t, "", "get", "-k", "--http3-only", "-m", "500ms", tcp.URL); r.code != curlConnect && r.code != curlTimeout {
		t.Errorf("%+v", r)
	}
	if r := godwit(t, "", "get", tcp.URL); r.code != curlUntrusted || !strings.Contains(r.stderr, "--cacert FILE") {
		t.Errorf("untrusted: %+v", r)
	}
	plain := httptest.NewServer(http.HandlerFunc(describeRequest))
	defer plain.Close()
	if r := godwit(t, "", "get", plain.URL); r.code != exitOK || !strings.HasPrefix(r.stdout, "GET / 0") {
		t.Errorf("http: %+v", r)
	}
	if r := godwit(t, "", "get", "--http3-only", plain.URL); r.code == exitOK || !strings.Contains(r.stderr, "HTTP/3 is for https only") {
		t.Errorf("http over HTTP/3: %+v", r)
	}
	tcp.Close()
	if r := godwit(t, "", "get", "-k", tcp.URL); r.code != curlConnect {
		t.Errorf("nobody: %+v", r)
	}
	silent := silentAddr(t)
	if r := godwit(t, "", "get", "-k", "--http3-only", "--connect-timeout", "100ms", "https://"+silent); r.code != curlTimeout || !strings.Contains(r.stderr, "no connection after 100ms") {
		t.Errorf("silent: %+v", r)
	}
}

// TestGetLeads: --resolve and --connect-to lead connections elsewhere, over all versions.
func TestGetLeads(t *testing.T) {
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, " ", r.Host) }), nil)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "https://"))
	for _, version := range []struct{ flag, proto string }{{"--http3-only", "HTTP/3.0"}, {"--http2", "HTTP/2.0"}, {"--http1.1", "HTTP/1.1"}} {
		for _, args := range [][]string{
			{"--resolve", "example.test:" + port + ":127.0.0.1", "https://example.test:" + port},
			{"--resolve", "*:" + port + ":192.0.2.1", "--resolve", "example.test:" + port + ":127.0.0.1", "https://example.test:" + port},
			{"--connect-to", "example.test:443:127.0.0.1:" + port, "https://example.test"},
			{"-4", "--connect-to", "::localhost:" + port, "https://example.test"},
		} {
			r := godwit(t, "", append([]string{"get", "-k", version.flag}, args...)...)
			if r.code != exitOK || !strings.HasPrefix(r.stdout, version.proto+" example.test") {
				t.Errorf("%s %q: %+v", version.flag, args, r)
			}
		}
	}
	if r := godwit(t, "", "get", "-k", "-6", "--http3-only", url); r.code != curlResolve {
		t.Errorf("IPv6 only: %+v", r)
	}
	for _, args := range [][]string{{"--resolve", "nonsense"}, {"--resolve", "h:1:x"}, {"--connect-to", "a:b"}} {
		if r := godwit(t, "", append([]string{"get", url}, args...)...); r.code != exitUsage {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

// TestGetShows: -i, -D, -v, -w and --format json show what came, each in its way, and
// interim responses and trailers apart from the content.
func TestGetShows(t *testing.T) {
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
			return
		}
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Sum", "42")
	}), nil)
	dump := filepath.Join(t.TempDir(), "head")
	r := godwit(t, "", "get", "-k", "-i", "-D", dump, url)
	if !strings.HasPrefix(r.stdout, "HTTP/3 103 \r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/3 200 \r\n") || !strings.HasSuffix(r.stdout, "\r\n\r\nbody\r\n\r\nx-sum: 42\r\n") {
		t.Errorf("%q", r.stdout)
	}
	if data, _ := os.ReadFile(dump); !strings.HasPrefix(string(data), "HTTP/3 103 ") || !strings.HasSuffix(string(data), "\r\n\r\nx-sum: 42\r\n") {
		t.Errorf("%q", data)
	}
	r = godwit(t, "", "get", "-k", "-v", url)
	if r.stdout != "body" {
		t.Errorf("%q", r.stdout)
	}
	for _, want := range []string{"* trying 127.0.0.1:", " over UDP\n", "* connected to 127.0.0.1:", ", HTTP/3 over QUIC\n", "* TLS 1.3, TLS_", "* certificate of ", "accepted unchecked (-k)\n",
		"> GET / HTTP/3\n> host: 127.0.0.1:", ">\n", "< HTTP/3 103\n", "< HTTP/3 200\n", "<\n", "< x-sum: 42\n"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("-v lacks %q:\n%s", want, r.stderr)
		}
	}
	r = godwit(t, "", "get", "-k", "-s", "-L", "-o", os.DevNull, "-w", `%{http_code} %{http_version} %{size_download} %{num_redirects} %header{x-none}%{method}%%\n`, url+"/from")
	if r.stdout != "200 3 4 1 GET%\n" {
		t.Errorf("-w: %q", r.stdout)
	}
	r = godwit(t, "", "get", "-k", "-s", "-w", `%{http_code} %{exitcode}%{onerror} %{errormsg}`, "--http3-only", "-m", "50ms", "https://"+silentAddr(t))
	if !strings.HasPrefix(r.stdout, "000 28 not done after 50ms") {
		t.Errorf("-w after an error: %q", r.stdout)
	}
	r = godwit(t, "", "get", "-k", "--format", "json", url, url+"/from")
	var first, second struct {
		Status   int
		Version  string
		Content  string
		Interim  []struct{ Status int }
		Trailer  map[string][]string
		Header   map[string][]string
		ExitCode int `json:"exit_code"`
	}
	one, two, _ := strings.Cut(r.stdout, "\n")
	if err := json.Unmarshal([]byte(one), &first); err != nil {
		t.Fatal(err)
	}
	if first.Status != 200 || first.Version != "3" || first.Content != "body" || len(first.Interim) != 1 || first.Trailer["x-sum"][0] != "42" {
		t.Errorf("%+v", first)
	}
	if err := json.Unmarshal([]byte(two), &second); err != nil || second.Status != 302 || second.Header["location"][0] != "/to" {
		t.Errorf("%+v, %v", second, err)
	}
}

// TestGetRetries: --retry sends again after what will pass, -C goes on where a file ends.
func TestGetRetries(t *testing.T) {
	var tries atomic.Int32
	content := strings.Repeat("0123456789", 1000)
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/busy" && tries.Add(1)%3 != 0:
			w.Header().Set("Retry-After", "0")
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case r.URL.Path == "/whole":
			fmt.Fprint(w, content)
		default:
			http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader(content))
		}
	}), nil)
	for retries, want := range map[string]int{"2": exitOK, "1": exitHTTPStatus} {
		tries.Store(0)
		r := godwit(t, "", "get", "-k", "-f", "--retry", retries, url+"/busy")
		if r.code != want || (r.stdout == content) != (want == exitOK) || !strings.Contains(r.stderr, "503 Service Unavailable; trying again in 0s") {
			t.Errorf("--retry %s: %d, %d bytes, %s", retries, r.code, len(r.stdout), r.stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		path, there string
		code        int
		kept        string
	}{
		{"/", content[:1234], exitOK, content}, {"/", "", exitOK, content}, {"/", content, exitOK, content},
		{"/whole", content[:10], curlRange, content[:10]}, {"/", content + "more", curlRange, content + "more"},
	} {
		if err := os.WriteFile(file, []byte(tt.there), 0o600); err != nil {
			t.Fatal(err)
		}
		r := godwit(t, "", "get", "-k", "-C", "-", "-o", file, url+tt.path)
		if data, _ := os.ReadFile(file); r.code != tt.code || string(data) != tt.kept {
			t.Errorf("%s after %d bytes: %+v, %d bytes", tt.path, len(tt.there), r, len(data))
		}
	}
	r := godwit(t, "", "get", "-k", "-m", "300ms", "--limit-rate", "1000", "-o", file, url)
	if r.code != curlTimeout || !strings.Contains(r.stderr, "-C - goes on from there") {
		t.Errorf("cut short: %+v", r)
	}
}

// TestGetDecodes: --compressed decodes what servers send.
func TestGetDecodes(t *testing.T) {
	content := strings.Repeat("Hello, hello! ", 1000)
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		coding := r.URL.Path[1:]
		w.Header().Set("Content-Encoding", coding)
		var out io.WriteCloser
		switch coding {
		case "gzip":
			out = gzip.NewWriter(w)
		case "br":
			out = brotli.NewWriter(w)
		case "zstd":
			out, _ = zstd.NewWriter(w)
		default:
			fmt.Fprint(w, "no such thing")
			return
		}
		_, _ = io.WriteString(out, content)
		_ = out.Close()
	}), nil)
	for _, coding := range []string{"gzip", "br", "zstd"} {
		if r := godwit(t, "", "get", "-k", "--compressed", url+"/"+coding); r.code != exitOK || r.stdout != content {
			t.Errorf("%s: %d, %d bytes, %s", coding, r.code, len(r.stdout), r.stderr)
		}
		if r := godwit(t, "", "get", "-k", url+"/"+coding); r.code != exitOK || len(r.stdout) >= len(content)/2 {
			t.Errorf("%s undecoded: %d, %d bytes", coding, r.code, len(r.stdout))
		}
	}
	for path, want := range map[string]string{"/secret": `encoded as "secret"`, "/deflate": "decoding the content"} {
		if r := godwit(t, "", "get", "-k", "--compressed", url+path); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", path, r)
		}
	}
}

// TestGetCookies: cookies are kept in a file, and sent again.
func TestGetCookies(t *testing.T) {
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", MaxAge: 1000, HttpOnly: true})
		fmt.Fprint(w, r.Header.Get("Cookie"))
	}), nil)
	jar := filepath.Join(t.TempDir(), "jar")
	if r := godwit(t, "", "get", "-k", "-c", jar, url, url); r.code != exitOK || r.stdout != "seen=yes" {
		t.Errorf("%+v", r)
	}
	if r := godwit(t, "", "get", "-k", "-b", jar, url); r.code != exitOK || r.stdout != "seen=yes" {
		t.Errorf("%+v", r)
	}
	none, broken := jar+".none", filepath.Dir(jar)
	if r := godwit(t, "", "get", "-k", "-b", none, url, url); r.code != exitOK || r.stdout != "seen=yes" || !strings.Contains(r.stderr, "there is no file "+none) {
		t.Errorf("no file: %+v", r)
	}
	if r := godwit(t, "", "get", "-k", "-b", none, "-c", none, url, url); r.code != exitOK || r.stdout != "seen=yes" || r.stderr != "" {
		t.Errorf("no file yet: %+v", r)
	}
	if r := godwit(t, "", "get", "-k", "-b", "", url, url); r.code != exitOK || r.stdout != "seen=yes" || r.stderr != "" {
		t.Errorf("no name: %+v", r)
	}
	if r := godwit(t, "", "get", "-k", "-b", broken, url); r.code == exitOK || !strings.Contains(r.stderr, "-b: ") {
		t.Errorf("a directory: %+v", r)
	}
}

// TestGetClientCertificate: --cert and --key, also of one file; --cert-hash.
func TestGetClientCertificate(t *testing.T) {
	url := serveAll(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.TLS.PeerCertificates)) }),
		&tls.Config{ClientAuth: tls.RequireAnyClientCert})
	dir := t.TempDir()
	cert, key, _ := writePair(t, dir, "client")
	both := filepath.Join(dir, "both.pem")
	var data []byte
	for _, path := range []string{cert, key} {
		part, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, part...)
	}
	if err := os.WriteFile(both, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--cert", cert, "--key", key}, {"-E", both}, {"-E", both, "--http2"}} {
		if r := godwit(t, "", append([]string{"get", "-k", url}, args...)...); r.code != exitOK || r.stdout != "1" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	if r := godwit(t, "", "get", "-k", "--http3-only", url); r.code != curlTLS {
		t.Errorf("without: %+v", r)
	}
	if r := godwit(t, "", "get", "-k", "--cert", cert, url); r.code != curlCertificate {
		t.Errorf("without a key: %+v", r)
	}
	s := startServer(t, "serve", "--listen", "localhost:0")
	if r := godwit(t, "", "get", "--cert-hash", s.hash, s.url("/hello")); r.code != exitOK || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if r := godwit(t, "", "get", "--cert-hash", strings.Repeat("00", 32), s.url("/hello")); r.code != curlUntrusted {
		t.Errorf("%+v", r)
	}
}
