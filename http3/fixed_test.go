package http3

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFixedResponse(t *testing.T) {
	body := "fixed\n"
	fixed := NewFixedResponse(http.StatusOK, http.Header{"X-Kind": {"fixed"}}, []byte(body))
	moved := NewFixedResponse(http.StatusMovedPermanently, http.Header{"Location": {"/fixed"}}, nil)
	ts := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "handler") },
		func(s *Server) { s.BypassHandler = map[string]*FixedResponse{"/fixed": fixed, "/moved": moved} })
	check := func(method, path string, body io.Reader, wantStatus int, wantBody, wantKind string) {
		t.Helper()
		res, got := ts.do(t, method, path, body)
		if res.StatusCode != wantStatus || got != wantBody || res.Header.Get("X-Kind") != wantKind {
			t.Errorf("%s %s: %d %q %v", method, path, res.StatusCode, got, res.Header)
		}
		if res.Header.Get("Date") == "" {
			t.Errorf("%s %s has no Date", method, path)
		}
	}
	for range 3 {
		check("GET", "/fixed", nil, 200, body, "fixed")
		check("HEAD", "/fixed", nil, 200, "", "fixed")
		check("GET", "/moved", nil, 301, "", "")
		check("GET", "/fixed?q", nil, 200, "handler", "")
		check("POST", "/fixed", strings.NewReader("x"), 200, "handler", "")
		check("GET", "/fixed", strings.NewReader(strings.Repeat("unexpected ", 10_000)), 200, body, "fixed")
	}
	// The same by another version of HTTP.
	w := httptest.NewRecorder()
	fixed.ServeHTTP(w, httptest.NewRequest("GET", "/fixed", nil))
	if w.Code != 200 || w.Body.String() != body || w.Header().Get("Content-Length") != "6" ||
		w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("as a handler: %d %q %v", w.Code, w.Body, w.Header())
	}
	w = httptest.NewRecorder()
	fixed.ServeHTTP(w, httptest.NewRequest("HEAD", "/fixed", nil))
	if w.Body.Len() != 0 || w.Header().Get("X-Kind") != "fixed" {
		t.Errorf("HEAD as a handler: %q %v", w.Body, w.Header())
	}
}
