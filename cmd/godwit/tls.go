package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// serverTLS returns a configuration with the certificate in two PEM files, or
// with one made for localhost when none is given, and the certificate's SHA-256.
func (a *app) serverTLS(certPath, keyPath string) (*tls.Config, string, error) {
	var (
		cert tls.Certificate
		err  error
	)
	if certPath == "" && keyPath == "" {
		cert, _, err = devcert.Make(time.Now())
	} else {
		cert, err = devcert.Load(certPath, keyPath)
	}
	if err != nil {
		return nil, "", err
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, KeyLogWriter: a.keyLogWriter()}
	return conf, devcert.FormatHash(sha256.Sum256(cert.Certificate[0])), nil
}

// clientTLS returns a configuration that trusts the certificates in a PEM file,
// or the system's if there is none, or everybody.
func (a *app) clientTLS(caPath string, insecure bool) (*tls.Config, error) {
	conf := &tls.Config{InsecureSkipVerify: insecure, KeyLogWriter: a.keyLogWriter()}
	if caPath == "" {
		return conf, nil
	}
	data, err := os.ReadFile(caPath)
	if err != nil {
		return nil, fmt.Errorf("reading --cacert: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("--cacert %s holds no certificate in PEM", caPath)
	}
	return conf, nil
}
