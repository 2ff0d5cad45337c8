// Package peertest has what tests that let two ends talk share:
//
//	server, client := peertest.TLS(t, "h3")
//	…
//	peertest.EchoThrough(t, stream, peertest.Content(64 << 10))
package peertest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// made has the certificates so far; more than one only when clocks differ, as in a
// synctest bubble.
var made struct {
	sync.Mutex
	certs []tls.Certificate
}

// TLS returns configurations of a server for localhost and of clients that trust
// it, both with these protocols, or none. All calls on one clock give the same
// certificate.
func TLS(t testing.TB, protocols ...string) (server, client *tls.Config) {
	t.Helper()
	cert, err := certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols},
		&tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: protocols}
}

// certificate returns a certificate that is valid for some hours yet.
func certificate(now time.Time) (tls.Certificate, error) {
	made.Lock()
	defer made.Unlock()
	for _, c := range made.certs {
		if now.After(c.Leaf.NotBefore) && now.Add(6*time.Hour).Before(c.Leaf.NotAfter) {
			return c, nil
		}
	}
	c, _, err := devcert.Make(now)
	if err == nil {
		made.certs = append(made.certs, c)
	}
	return c, err
}

// Content returns n bytes that differ from offset to offset, the same each time.
func Content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	return b
}

// EchoThrough writes data to a stream whose other end echoes, ends it by Close, and
// checks what comes back.
func EchoThrough(t testing.TB, s io.ReadWriteCloser, data []byte) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := s.Write(data)
		if err == nil {
			err = s.Close()
		}
		done <- err
	}()
	got, err := io.ReadAll(s)
	if err != nil {
		t.Fatalf("reading the echo of %d bytes: %v", len(data), err)
	}
	if err := <-done; err != nil {
		t.Fatalf("writing %d bytes: %v", len(data), err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("echo of %d bytes differs: got %d", len(data), len(got))
	}
}
