package main

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/http3"
)

// TestServeFleet: a client resumes its session at another server with the same secrets, and at
// none with others.
func TestServeFleet(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := writePair(t, dir, "a")
	secrets := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	sessions := tls.NewLRUClientSessionCache(1)
	ask := func(file string) (resumed bool) {
		t.Helper()
		s := startServer(t, "serve", "--listen", "localhost:0", "--cert", cert, "--key", key, "--fleet-keys", file)
		tr := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ClientSessionCache: sessions}}
		defer tr.Close()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url("/hello"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.TLS.DidResume
	}
	for _, tt := range []struct {
		file    string
		resumed bool
	}{
		{secrets("old", a), false},
		{secrets("new", b+" # of today\n"+a), true},
		{secrets("newer", b), true},
		{secrets("other", a), false},
	} {
		if resumed := ask(tt.file); resumed != tt.resumed {
			t.Errorf("%s: resumed %v", filepath.Base(tt.file), resumed)
		}
	}
}
