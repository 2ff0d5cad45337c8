package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// lifetime is how long certificates are valid.
	lifetime = 24 * time.Hour
	// fillers are how many names make the certificate of a long chain large, and fillerLen
	// is how long each is.
	fillers, fillerLen = 20, 250
)

// makeCertificates writes what the runner has in /certs: a chain of n certificates
// (cert.pem) of a server, its key (priv.key), and who has issued the first (ca.pem).
func makeCertificates(dir string, n int) error {
	var chain bytes.Buffer
	var issuer *x509.Certificate
	var issuerKey *ecdsa.PrivateKey
	for i := 0; i <= n; i++ {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		template := certificateTemplate(i, n)
		parent, parentKey := issuer, issuerKey
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
		if err != nil {
			return err
		}
		if issuer, err = x509.ParseCertificate(der); err != nil {
			return err
		}
		issuerKey = key
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if i == 0 {
			if err := os.WriteFile(filepath.Join(dir, "ca.pem"), block, 0o644); err != nil {
				return err
			}
			continue
		}
		chain = *bytes.NewBuffer(append(block, chain.Bytes()...)) // the server's comes first
	}
	key, err := x509.MarshalPKCS8PrivateKey(issuerKey)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "priv.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "cert.pem"), chain.Bytes(), 0o644)
}

// certificateTemplate returns number i of a chain whose last is n, the server's.
func certificateTemplate(i, n int) *x509.Certificate {
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{Organization: []string{fmt.Sprintf("interop runner %d", i)}},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		BasicConstraintsValid: true,
	}
	if i < n {
		t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign
		return t
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	t.DNSNames = []string{"localhost", "server", "server4", "server6", "server46"}
	t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	if n > 1 {
		for j := range fillers {
			label := strings.Repeat(string(rune('a'+j)), 60)
			t.DNSNames = append(t.DNSNames, strings.Join([]string{label, label, label, label}, ".")[:fillerLen-10])
		}
	}
	return t
}
