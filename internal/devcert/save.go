package devcert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The permissions of files: the key is for its owner only.
const (
	certMode fs.FileMode = 0o644
	keyMode  fs.FileMode = 0o600
)

// Save writes a certificate and its key to PEM files, and replaces those that are
// there. Each appears whole or not at all.
func Save(certPath, keyPath string, cert tls.Certificate) error {
	chain, key, err := Encode(cert)
	if err != nil {
		return err
	}
	if err := replace(keyPath, key, keyMode); err != nil {
		return fmt.Errorf("writing the key %s: %w", keyPath, err)
	}
	if err := replace(certPath, chain, certMode); err != nil {
		return fmt.Errorf("writing the certificate %s: %w", certPath, err)
	}
	return nil
}

// Encode returns a certificate, with the others of its chain, and its key as PEM.
func Encode(cert tls.Certificate) (chain, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("devcert: encoding the key: %w", err)
	}
	for _, der := range cert.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// replace writes a file beside its place and moves it there.
func replace(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
