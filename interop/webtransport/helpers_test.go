package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// patience bounds every conversation; none of them takes near as long.
const patience = 60 * time.Second

// sizes are the transfers every pair of peers must do whole.
var sizes = []int{0, 1, 1200, 64 << 10, 8 << 20}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// tlsConfigs returns a server's and a client's configuration that fit.
func tlsConfigs(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h3"}},
		&tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h3"}}
}

// content returns n bytes that differ from offset to offset.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	return b
}

// echoThrough writes data to a stream whose other end echoes, and checks what comes
// back.
func echoThrough(t *testing.T, s io.ReadWriteCloser, data []byte) {
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
