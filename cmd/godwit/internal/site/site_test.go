package site

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// tree writes files, by their names, and returns their directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// open returns a Site, and what it logs.
func open(t *testing.T, dir string, opts Options) (*Site, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	s, err := New(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, log
}

// ask sends a request, with header fields as names and values.
func ask(s *Site, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://host/", nil)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

var long = strings.Repeat("All work and no play. ", 1000)

// TestPaths: what is served, and what is not.
func TestPaths(t *testing.T) {
	dir := tree(t, map[string]string{
		"index.html": "home", "a.txt": "a", "sub/b.txt": "b", "sub/.git/config": "secret", ".env": "secret", ".well-known/x": "known",
		"app/index.html": "app", "..c": "secret", "app.wasm": "\x00asm", "odd name#?.txt": "odd",
	})
	for _, tt := range []struct {
		opts     Options
		target   string
		status   int
		body     string // its beginning
		location string
	}{
		{Options{}, "/", 200, "home", ""},
		{Options{}, "/a.txt", 200, "a", ""},
		{Options{}, "//a.txt", 200, "a", ""},
		{Options{}, "/sub/../a.txt", 200, "a", ""},
		{Options{}, "/../../a.txt", 200, "a", ""},
		{Options{}, "/odd name#?.txt", 404, "", ""}, // the query is cut off
		{Options{}, "/a.txt/", 404, "", ""},
		{Options{}, "/a.txt/b", 404, "", ""},
		{Options{}, "/app", 301, "", "/app/"},
		{Options{}, "//app?x=1", 301, "", "/app/?x=1"},
		{Options{}, "/app/", 200, "app", ""},
		{Options{}, "/sub/", 404, "404", ""},
		{Options{Listing: true}, "/sub/", 200, "<!doctype html>", ""},
		{Options{}, "/.env", 404, "", ""},
		{Options{}, "/..c", 404, "", ""},
		{Options{}, "/sub/.git/config", 404, "", ""},
		{Options{Listing: true}, "/sub/.git/", 404, "", ""},
		{Options{}, "/.well-known/x", 200, "known", ""},
		{Options{Hidden: true}, "/.env", 200, "secret", ""},
		{Options{}, "/deep/link", 404, "", ""},
		{Options{SPA: true}, "/deep/link", 200, "home", ""},
		{Options{SPA: true}, "/deep/link.js", 404, "", ""},
		{Options{}, "/\x00", 404, "", ""},
		{Options{}, "/" + strings.Repeat("x", 5000), 404, "", ""},
	} {
		s, _ := open(t, dir, tt.opts)
		w := ask(s, "GET", tt.target)
		if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.body) || w.Header().Get("Location") != tt.location || strings.Contains(w.Body.String(), "secret") != (tt.body == "secret") {
			t.Errorf("%+v: %d, %q, %v", tt, w.Code, w.Body, w.Header())
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", tt.target, w.Header())
		}
	}
	s, _ := open(t, dir, Options{})
	if w := ask(s, "POST", "/a.txt"); w.Code != 405 || w.Header().Get("Allow") != allowedMethods {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	if w := ask(s, "GET", "/app.wasm"); w.Header().Get("Content-Type") != "application/wasm" {
		t.Errorf("%v", w.Header())
	}
	if _, err := New(filepath.Join(dir, "none"), Options{}); err == nil {
		t.Error("a directory that is not there")
	}
}

// TestLinks: a link inside is followed, one that leaves is not there, and logged.
func TestLinks(t *testing.T) {
	dir, outside := tree(t, map[string]string{"a.txt": "a", "sub/x": "x"}), tree(t, map[string]string{"key": "secret"})
	for name, to := range map[string]string{"in": "a.txt", "out": filepath.Join(outside, "key"), "up": "../" + filepath.Base(outside) + "/key", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			peertest.LeaveOut(t, "symbolic links", err.Error())
		}
	}
	s, log := open(t, dir, Options{Listing: true})
	if w := ask(s, "GET", "/in"); w.Body.String() != "a" {
		t.Errorf("%d, %q", w.Code, w.Body)
	}
	for _, name := range []string{"/out", "/up", "/loop"} {
		log.Reset()
		if w := ask(s, "GET", name); w.Code != 404 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(log.String(), "path="+name) {
			t.Errorf("%s: %d, %q, logged %q", name, w.Code, w.Body, log)
		}
	}
	w := ask(s, "GET", "/")
	for name, want := range map[string]bool{">in<": true, ">sub/<": true, ">out<": false, ">up<": false, ">loop<": false} {
		if strings.Contains(w.Body.String(), name) != want {
			t.Errorf("the listing has %s: %v", name, !want)
		}
	}
}

// TestCodings: files that are compressed are used, others are on their way, and ranges are of
// the file as it is.
func TestCodings(t *testing.T) {
	dir := tree(t, map[string]string{"long.txt": long, "short.txt": "short", "long.bin": long, "pre.js": long, "pre.js.br": "br", "pre.js.gz": "gz", "old.js": long, "old.js.gz": "old"})
	past := time.Now().Add(-time.Hour)
	for _, name := range []string{"pre.js", "old.js.gz"} {
		if err := os.Chtimes(filepath.Join(dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, accept, coding, body string // a body of "" is long's
		header                     []string
	}{
		{"/long.txt", "", "", "", nil},
		{"/long.txt", "gzip", "gzip", "", nil},
		{"/long.txt", "gzip, br", "br", "", nil},
		{"/long.txt", "gzip, deflate, br, zstd", "zstd", "", nil},
		{"/long.txt", "*", "zstd", "", nil},
		{"/long.txt", "zstd;q=0, gzip;q=0.5", "gzip", "", nil},
		{"/long.txt", "gzip", "", long[2:5], []string{"Range", "bytes=2-4"}},
		{"/short.txt", "gzip", "", "short", nil},
		{"/long.bin", "gzip", "", "", nil},
		{"/pre.js", "gzip, br", "br", "br", nil},
		{"/pre.js", "gzip", "gzip", "gz", nil},
		{"/pre.js", "zstd", "zstd", "", nil},
		{"/old.js", "gzip", "gzip", "", nil},
	} {
		s, _ := open(t, dir, Options{})
		w := ask(s, "GET", tt.name, append(tt.header, "Accept-Encoding", tt.accept)...)
		body, coding := w.Body.Bytes(), w.Header().Get("Content-Encoding")
		want := tt.body
		if want == "" {
			want = long
			body = decode(t, coding, body)
		}
		if coding != tt.coding || string(body) != want {
			t.Errorf("%s for %q: coding %q, %d bytes, want %q, %d", tt.name, tt.accept, coding, len(body), tt.coding, len(want))
		}
		if varies := tt.name != "/short.txt" && tt.name != "/long.bin"; (w.Header().Get("Vary") == "Accept-Encoding") != varies {
			t.Errorf("%s: %v", tt.name, w.Header())
		}
		again := ask(s, "GET", tt.name, "Accept-Encoding", tt.accept, "If-None-Match", `"x", `+w.Header().Get("ETag"))
		if len(tt.header) == 0 && (again.Code != 304 || again.Body.Len() > 0) {
			t.Errorf("%s for %q again: %d", tt.name, tt.accept, again.Code)
		}
		since := ask(s, "GET", tt.name, "Accept-Encoding", tt.accept, "If-Modified-Since", w.Header().Get("Last-Modified"))
		if since.Code != 304 {
			t.Errorf("%s for %q since: %d", tt.name, tt.accept, since.Code)
		}
		if head := ask(s, "HEAD", tt.name, "Accept-Encoding", tt.accept); head.Code != 200 || head.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d, %d bytes", tt.name, head.Code, head.Body.Len())
		}
	}
	plain, _ := open(t, dir, Options{Plain: true})
	if w := ask(plain, "GET", "/long.txt", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Errorf("%v", w.Header())
	}
	tags := make(map[string]bool)
	for _, accept := range []string{"", "gzip", "br", "zstd"} {
		tags[ask(plain, "GET", "/pre.js", "Accept-Encoding", accept).Header().Get("ETag")] = true
	}
	if len(tags) != 3 {
		t.Errorf("tags %v of three representations", tags)
	}
}

func decode(t *testing.T, coding string, data []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(data)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("%s: %v", coding, err)
	}
	return out
}

// TestHeaders: caches, other origins, and headers of one's own.
func TestHeaders(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": "home", "a.css": "a", "assets/x.js": "x", "404.html": "gone"})
	s, _ := open(t, dir, Options{MaxAge: time.Hour, Immutable: []string{"/assets/"}, Origins: []string{"https://a.test"}, Header: http.Header{"X-Own": {"1"}}})
	for target, want := range map[string]string{"/": "no-cache", "/a.css": "public, max-age=3600", "/assets/x.js": "public, max-age=31536000, immutable", "/none": "no-cache"} {
		if w := ask(s, "GET", target); w.Header().Get("Cache-Control") != want || w.Header().Get("X-Own") != "1" {
			t.Errorf("%s: %v", target, w.Header())
		}
	}
	if w := ask(s, "GET", "/none"); w.Code != 404 || w.Body.String() != "gone" || w.Header().Get("ETag") != "" {
		t.Errorf("%d, %q, %v", w.Code, w.Body, w.Header())
	}
	for origin, want := range map[string]string{"https://a.test": "https://a.test", "https://b.test": "", "": ""} {
		if w := ask(s, "GET", "/a.css", "Origin", origin); w.Header().Get("Access-Control-Allow-Origin") != want || w.Header().Get("Vary") != "Origin" {
			t.Errorf("from %s: %v", origin, w.Header())
		}
	}
	if w := ask(s, "OPTIONS", "/a.css", "Origin", "https://a.test"); w.Code != 204 || w.Header().Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("preflight: %d, %v", w.Code, w.Header())
	}
	all, _ := open(t, dir, Options{Origins: []string{"*"}})
	if w := ask(all, "GET", "/a.css"); w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Vary") != "" {
		t.Errorf("%v", w.Header())
	}
}

// TestListing: what is in a directory, in the order asked for, with names that do no harm.
func TestListing(t *testing.T) {
	dir := tree(t, map[string]string{"b.txt": long, "a.txt": "a", "C.txt": strings.Repeat("c", 2000), "sub/x": "x", ".hidden": "", `<b>"&javascript:x`: "odd"})
	s, _ := open(t, dir, Options{Listing: true})
	for query, want := range map[string][]string{
		"":                      {">sub/<", ">a.txt<", ">b.txt<", ">C.txt<"},
		"?sort=size":            {">sub/<", ">a.txt<", ">C.txt<", ">b.txt<"},
		"?sort=name&order=desc": {">sub/<", ">C.txt<", ">b.txt<", ">a.txt<"},
		"?sort=nonsense":        {">sub/<", ">a.txt<", ">b.txt<", ">C.txt<"},
	} {
		w := ask(s, "GET", "/"+query)
		text, at := w.Body.String(), 0
		for _, name := range want {
			i := strings.Index(text[at:], name)
			if i < 0 {
				t.Errorf("%s: %s is not after the others:\n%s", query, name, text)
				break
			}
			at += i
		}
		if strings.Contains(text, "hidden") || strings.Contains(text, "<b>") || !strings.Contains(text, "2.0 KiB") || !strings.Contains(text, `href="./%3Cb%3E%22&amp;javascript:x"`) {
			t.Errorf("%s:\n%s", query, text)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%v", w.Header())
		}
	}
	if w := ask(s, "GET", "/sub/"); !strings.Contains(w.Body.String(), `<a href="../">/</a>sub/</h1>`) {
		t.Errorf("%s", w.Body)
	}
}
