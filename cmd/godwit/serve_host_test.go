package main

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// TestOnlyNamed: a name that the certificate is not for gets nothing.
func TestOnlyNamed(t *testing.T) {
	cert, _, err := devcert.Make(time.Now(), "localhost", "demo.example")
	if err != nil {
		t.Fatal(err)
	}
	handler := onlyNamed(func() []*x509.Certificate { return []*x509.Certificate{cert.Leaf} }, http.NotFoundHandler())
	for host, want := range map[string]int{
		"localhost": http.StatusNotFound, "localhost:4433": http.StatusNotFound, "DEMO.example:1": http.StatusNotFound,
		"127.0.0.1:4433": http.StatusNotFound, "[::1]:4433": http.StatusNotFound, "[::1]": http.StatusNotFound, "192.0.2.1": http.StatusNotFound,
		"rebound.example:4433": http.StatusMisdirectedRequest, "localhost.rebound.example": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, want)
		}
	}
}
