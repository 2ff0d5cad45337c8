package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
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

// tls returns the configuration of a client, with the certificate that it may have.
func (o *getConnection) tls(a *app) (*tls.Config, error) {
	conf, err := a.clientTLS(o.cacert, o.insecure)
	if err != nil {
		return nil, &exitError{curlCAFile, err}
	}
	if len(o.hashes) > 0 {
		o.pin(conf)
	}
	switch {
	case o.cert == "" && o.key == "":
		return conf, nil
	case o.cert == "":
		return nil, usage(errors.New("--key needs --cert"))
	}
	key := o.key
	if key == "" {
		key = o.cert // as curl has it, both may be in one file
	}
	cert, err := tls.LoadX509KeyPair(o.cert, key)
	if err != nil {
		return nil, &exitError{curlCertificate, fmt.Errorf("--cert %s with the key in %s: %w", o.cert, key, err)}
	}
	conf.Certificates = []tls.Certificate{cert}
	return conf, nil
}

// errPinned is the error of a certificate that none of the hashes given is of.
var errPinned = errors.New("the server's certificate has none of the hashes of --cert-hash")

// pin accepts the certificates of --cert-hash, and no others.
func (o *getConnection) pin(conf *tls.Config) {
	conf.InsecureSkipVerify = true // VerifyConnection does it, with other rules
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		if !slices.Contains(o.hashes, sha256.Sum256(leaf.Raw)) {
			return errPinned
		}
		return devcert.CheckValid(leaf, time.Now())
	}
}
