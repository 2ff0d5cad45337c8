package browsers

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/webtransport"
)

// pastePatience bounds all that one browser does.
const pastePatience = time.Minute

// makeCert makes a certificate with `godwit cert make`, and returns it with the line
// for a page that `godwit cert show` prints.
func makeCert(t *testing.T, ctx context.Context) (cert tls.Certificate, javaScript string) {
	t.Helper()
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	godwit := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./cmd/godwit"}, args...)...)
		cmd.Dir = filepath.Join("..", "..")
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("godwit %v: %v\n%s", args, err, complaints.String())
		}
		return out
	}
	godwit("cert", "make", "--cert", certPath, "--key", keyPath)
	var facts struct {
		JavaScript string `json:"javascript"`
	}
	if err := json.Unmarshal(godwit("cert", "show", "--json", certPath), &facts); err != nil {
		t.Fatal(err)
	}
	cert, err := devcert.Load(certPath, keyPath)
	if err != nil {
		t.Fatal(err)
	}
	return cert, facts.JavaScript
}

// serveLocalhost accepts sessions at localhost, by that name, and returns the URL.
func serveLocalhost(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	upgrader := webtransport.UpgradeConfig{AllowedOrigins: []string{"*"}}
	srv := &http3.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = upgrader.Upgrade(w, r) }),
	}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = ln.Serve() }()
	t.Cleanup(func() { _ = srv.Close() })
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://localhost:" + port + "/"
}

// testPaste lets a page use the line that belongs to a certificate.
func testPaste(t *testing.T, name, executable string) {
	node, library := needPuppeteer(t)
	cert, javaScript := makeCert(t, t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), pastePatience)
	defer cancel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>paste</title>"))
	}))
	defer page.Close()
	cmd := exec.CommandContext(ctx, node, "paste.mjs", library, name, executable, page.URL, serveLocalhost(t, cert), javaScript)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || string(out) != "ready\n" {
		t.Errorf("%s with %s: %q, %v\n%s", name, javaScript, out, err, complaints.String())
	}
}

func TestPasteChromium(t *testing.T) {
	testPaste(t, "chrome", chromium(t))
}

func TestPasteFirefox(t *testing.T) {
	testPaste(t, "firefox", firefox(t))
}
