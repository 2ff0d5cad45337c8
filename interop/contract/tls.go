package contract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	_ "unsafe" // for go:linkname
)

// suites are what crypto/tls offers and accepts of TLS 1.3, which no tls.Config has a
// word for; only where the processor has instructions for AES, without which ChaCha20 is
// preferred anyway. crypto/tls keeps both names for quic-go's endpoint, which needs them for
// the same case.
//
//go:linkname suites crypto/tls.defaultCipherSuitesTLS13
var suites []uint16

//go:linkname suitesNoAES crypto/tls.defaultCipherSuitesTLS13NoAES
var suitesNoAES []uint16

// OnlyChaCha20 makes ChaCha20 the one suite of TLS in this process, before there is a
// connection.
func OnlyChaCha20() {
	suites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256}
	suitesNoAES = suites
}

// ServerTLS returns a server's configuration.
func (e *Environment) ServerTLS(protocols ...string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(e.Certs, "cert.pem"), filepath.Join(e.Certs, "priv.key"))
	if err != nil {
		return nil, err
	}
	keys, err := e.keyLog()
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols, KeyLogWriter: keys}, nil
}

// ClientTLS returns a client's configuration. Certificates of the runner are checked.
func (e *Environment) ClientTLS(protocols ...string) (*tls.Config, error) {
	name := filepath.Join(e.Certs, "ca.pem")
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", name)
	}
	keys, err := e.keyLog()
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: roots, NextProtos: protocols, KeyLogWriter: keys}, nil
}

// keyLog opens the file for secrets, which stays open as long as the process runs.
func (e *Environment) keyLog() (io.Writer, error) {
	if e.KeyLog == "" {
		return nil, nil
	}
	return os.OpenFile(e.KeyLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// Sessions is a cache of sessions that tells of the first.
type Sessions struct {
	tls.ClientSessionCache
	came chan struct{}
}

// NewSessions returns an empty cache.
func NewSessions() *Sessions {
	return &Sessions{ClientSessionCache: tls.NewLRUClientSessionCache(1), came: make(chan struct{}, 1)}
}

// Put implements tls.ClientSessionCache.
func (s *Sessions) Put(key string, state *tls.ClientSessionState) {
	s.ClientSessionCache.Put(key, state)
	if state == nil {
		return // taken away
	}
	select {
	case s.came <- struct{}{}:
	default:
	}
}

// Await waits until there is a session.
func (s *Sessions) Await(ctx context.Context) error {
	select {
	case <-s.came:
		return nil
	case <-ctx.Done():
		return errors.New("the server has sent no session ticket")
	}
}
