package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// writePair writes a certificate and its key to files and returns the
// certificate's SHA-256.
func writePair(t *testing.T, dir, name string) (certPath, keyPath, hash string) {
	t.Helper()
	cert, sum, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{
		certPath: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		keyPath:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certPath, keyPath, hex.EncodeToString(sum[:])
}

func TestServeWithCertificate(t *testing.T) {
	cert, key, hash := writePair(t, t.TempDir(), "a")
	s := startServer(t, "serve", "--listen", "localhost:0", "--cert", cert, "--key", key)
	if s.hash != hash {
		t.Errorf("printed %s, the certificate's hash is %s", s.hash, hash)
	}
	if r := godwit(t, "", "get", "--cacert", cert, s.url("/hello")); r.code != exitOK {
		t.Errorf("%+v", r)
	}
}

// TestServeErrors: what cannot be served is said in one line, at once.
func TestServeErrors(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := writePair(t, dir, "a")
	_, otherKey, _ := writePair(t, dir, "b")
	missing := filepath.Join(dir, "missing")
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp := silentAddr(t)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"no certificate", []string{"--cert", missing, "--key", key}, []string{"reading the certificate", missing}},
		{"no key", []string{"--cert", cert, "--key", missing}, []string{"reading the key", missing}},
		{"key not given", []string{"--cert", cert}, []string{"no key file is given: --cert and --key go together"}},
		{"certificate not given", []string{"--key", key}, []string{"no certificate file is given"}},
		{"unreadable key", []string{"--cert", cert, "--key", dir}, []string{"reading the key", dir}},
		{"no key in it", []string{"--cert", cert, "--key", cert}, []string{cert, "holds no PEM block"}},
		{"another's key", []string{"--cert", cert, "--key", otherKey}, []string{cert, otherKey, "does not match"}},
		{"TCP port in use", []string{"--listen", tcp.Addr().String()}, []string{tcp.Addr().String(), "--listen"}},
		{"UDP port in use", []string{"--listen", udp}, []string{udp, "--listen"}},
		{"no such root", []string{missing}, []string{"directory", missing}},
		{"no file of secrets", []string{"--fleet-keys", missing}, []string{"reading the secrets", missing}},
		{"no secrets in it", []string{"--fleet-keys", cert}, []string{cert, "line 1 is not a secret"}},
		{"nonsense for an address", []string{"--listen", "nonsense"}, []string{"nonsense"}},
	} {
		r := godwit(t, "", append([]string{"serve"}, tt.args...)...)
		if r.code != exitFailure || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", tt.name, r)
		}
		for _, want := range tt.want {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: %q lacks %q", tt.name, r.stderr, want)
			}
		}
	}
	r := godwit(t, "", "perf", "serve", "--listen", udp)
	if r.code != exitFailure || !strings.Contains(r.stderr, udp) {
		t.Errorf("perf: %+v", r)
	}
}

// TestServeVersions: the same port speaks HTTP/1.1 and HTTP/2 over TCP, which
// tell of HTTP/3.
func TestServeVersions(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{false, true} {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: http2,
		}}
		resp, err := client.Get(s.url("/hello"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]
		if err != nil || string(body) != "Hello over "+want+"!\n" {
			t.Errorf("%q, %v", body, err)
		}
		if got := resp.Header.Get("Alt-Svc"); !strings.HasPrefix(got, `h3=":`+port+`"`) {
			t.Errorf("Alt-Svc %q", got)
		}
		if sum := sha256.Sum256(resp.TLS.PeerCertificates[0].Raw); hex.EncodeToString(sum[:]) != s.hash {
			t.Errorf("the certificate's hash is %x, printed was %s", sum, s.hash)
		}
	}
}

// awaitLine waits until a server has said something.
func (s *server) awaitLine(t *testing.T, text string) {
	t.Helper()
	for start := time.Now(); !strings.Contains(s.stderr.String(), text); time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%q lacks %q", s.stderr.String(), text)
		}
	}
}

// startRequest begins an echo that the server cannot finish before the returned
// function is called, and returns when it has begun.
func startRequest(t *testing.T, s *server) (finish func() result) {
	t.Helper()
	body, typed := io.Pipe()
	out, stdout := io.Pipe()
	var stderr lockedBuffer
	a := &app{
		stdin: body, stdout: stdout, stderr: &stderr,
		getenv: func(string) string { return "" }, signals: make(chan os.Signal),
	}
	code := make(chan int, 1)
	go func() {
		code <- a.run([]string{"get", "-k", "-d", "@-", s.url("/echo")})
		stdout.Close()
	}()
	echo := make([]byte, 5)
	if _, err := io.WriteString(typed, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, echo); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return func() result {
		typed.Close()
		rest, _ := io.ReadAll(out)
		return result{<-code, string(echo) + string(rest), stderr.String()}
	}
}

func TestServeInterrupt(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	finish := startRequest(t, s)
	s.signals <- os.Interrupt
	s.awaitLine(t, "interrupt again")
	if r := finish(); r.code != exitOK || r.stdout != "hello" {
		t.Errorf("the request under way ended with %+v", r)
	}
	if r := s.wait(); r.code != exitOK {
		t.Errorf("%+v", r)
	}
}

func TestServeInterruptTwice(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	finish := startRequest(t, s)
	s.signals <- os.Interrupt
	s.signals <- os.Interrupt
	if r := s.wait(); r.code != exitInterrupted {
		t.Errorf("%+v", r)
	}
	if r := finish(); r.code != curlReceive {
		t.Errorf("the request under way ended with %+v", r)
	}
}

// TestServeGrace: a request that does not end keeps the server only for a while.
func TestServeGrace(t *testing.T) {
	s := startServerGrace(t, 50*time.Millisecond, "serve", "--listen", "localhost:0")
	finish := startRequest(t, s)
	s.signals <- os.Interrupt
	if r := s.wait(); r.code != exitOK || !strings.Contains(r.stderr, "no longer waiting") {
		t.Errorf("%+v", r)
	}
	if r := finish(); r.code != curlReceive {
		t.Errorf("the request under way ended with %+v", r)
	}
}

// TestServeDirectory: a directory is at /, by names and with the demo, and is logged.
func TestServeDirectory(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{one + "/a.txt": "one\n", two + "/a.txt": "two\n", one + "/.env": "hidden"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, "serve", "--listen", "localhost:0", "--log", "json", "-H", "X-Site: mine", one, "two.test="+two)
	_, port, _ := net.SplitHostPort(s.addr)
	r := godwit(t, "", "get", "-k", "-s", "-i", "--resolve", "two.test:"+port+":127.0.0.1", s.url("/a.txt"), "https://two.test:"+port+"/a.txt", s.url("/.env"), s.url("/hello"))
	for _, want := range []string{"\r\n\r\none\n", "\r\n\r\ntwo\n", "x-site: mine\r\n", "404 not found\n"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q lacks %q", r.stdout, want)
		}
	}
	if strings.Contains(r.stdout, "hidden") || strings.Contains(r.stdout, "user-agent") || strings.Contains(r.stdout, "Hello over") {
		t.Errorf("%q", r.stdout)
	}
	s.signals <- os.Interrupt
	log := s.wait().stderr
	for _, want := range []string{`"msg":"request"`, `"uri":"/a.txt","status":200,"bytes":4,`, `"proto":"HTTP/3.0"`, `"uri":"/.env","status":404`} {
		if !strings.Contains(log, want) {
			t.Errorf("%q lacks %q", log, want)
		}
	}
	both := startServer(t, "serve", "--listen", "localhost:0", "--demo", one)
	r = godwit(t, "", "get", "-k", both.url("/a.txt"), both.url("/hello"), both.url("/demo"))
	if !strings.HasPrefix(r.stdout, "one\nHello over HTTP/3.0!\n<!doctype html>") {
		t.Errorf("%q", r.stdout)
	}
	if r = godwit(t, "", "wt", "-k", "--bidi", "x", both.url("/wt/echo")); r.code != exitOK {
		t.Errorf("a session, with a log: %+v", r)
	}
}

// TestServeReloads: files that change are read again, at once on a hangup; what is wrong
// with them changes nothing.
func TestServeReloads(t *testing.T) {
	dir := t.TempDir()
	cert, key, first := writePair(t, dir, "a")
	s := startServer(t, "serve", "--listen", "localhost:0", "--cert", cert, "--key", key)
	_, _, second := writePair(t, dir, "a")
	hangUp(s)
	for _, hash := range []string{second, first} {
		want := exitOK
		if hash == first {
			want = curlUntrusted
		}
		for _, version := range []string{"--http3-only", "--http2"} {
			if r := godwit(t, "", "get", version, "--cert-hash", hash, s.url("/hello")); r.code != want {
				t.Errorf("%s %s: %+v", version, hash, r)
			}
		}
	}
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(s)
	if r := godwit(t, "", "get", "--cert-hash", second, s.url("/hello")); r.code != exitOK {
		t.Errorf("after nonsense: %+v", r)
	}
	s.signals <- os.Interrupt
	if r := s.wait(); r.code != exitOK || !strings.Contains(r.stderr, "using another certificate, SHA-256 "+second) || !strings.Contains(r.stderr, "the certificate stays as it is: ") {
		t.Errorf("%+v", r)
	}
}

// hangUp returns when the server has read its certificates again: two signals fit into the
// channel, a third may be on its way, and what came before has been done then.
func hangUp(s *server) {
	for range 5 {
		s.signals <- syscall.SIGHUP
	}
}

// TestCertificatesChanged: a look at the files tells.
func TestCertificatesChanged(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := writePair(t, dir, "a")
	var stderr lockedBuffer
	a := &app{stderr: &stderr}
	c, err := a.certificates([]string{cert}, []string{key}, nil)
	if err != nil || c.changed(time.Now()) {
		t.Fatalf("%v, or changed at once", err)
	}
	_, _, hash := writePair(t, dir, "a")
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() { c.watch(ctx, time.Millisecond, nil); close(watched) }()
	for c.hash() != hash {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-watched
}

// TestOwnCertificate: one of our own making is kept, for as long as it is of use.
func TestOwnCertificate(t *testing.T) {
	a := &app{stderr: io.Discard, cacheDir: filepath.Join(t.TempDir(), "cache")}
	now := time.Now()
	var certs []string
	for _, at := range []struct {
		after time.Duration
		hosts []string
	}{{0, nil}, {time.Hour, nil}, {devcert.Lifetime, nil}, {0, []string{"a.test"}}} {
		cert, err := a.ownCertificate(at.hosts, now.Add(at.after))
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert.Leaf.SerialNumber.String())
	}
	if certs[0] != certs[1] || certs[1] == certs[2] || certs[3] == certs[2] {
		t.Errorf("serial numbers %q", certs)
	}
	if info, err := os.Stat(filepath.Join(a.cacheDir, "localhost.key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDisplayAddr(t *testing.T) {
	actual := &net.TCPAddr{IP: net.IPv6unspecified, Port: 4433}
	for listen, want := range map[string]string{
		"localhost:0": "localhost:4433", ":0": "localhost:4433", "0.0.0.0:4433": "localhost:4433",
		"[::]:4433": "localhost:4433", "[::1]:0": "[::1]:4433", "192.0.2.1:1": "192.0.2.1:4433",
	} {
		if got := displayAddr(listen, actual); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
