// Package devcert provides the certificates a server starts with: one that it
// makes itself, good enough to develop with, or a PEM pair from files.
//
//	cert, hash, err := devcert.Make(time.Now())
//	fmt.Println("certificate's SHA-256:", devcert.FormatHash(hash))
//
//	cert, err := devcert.Load("server.crt", "server.key")
package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	// Lifetime is how long a certificate made here is valid. Browsers accept a
	// certificate by its hash (WebTransport's serverCertificateHashes) only if
	// the whole span of its validity is 14 days at most.
	Lifetime = 13 * 24 * time.Hour
	// clockSkew is how far behind a client's clock may be. It counts towards
	// the 14 days.
	clockSkew = time.Hour
)

// Make makes a self-signed ECDSA P-256 certificate for localhost, 127.0.0.1 and
// ::1 that is valid for Lifetime from now, and returns it with the SHA-256 of
// its DER encoding. The key never leaves memory.
func Make(now time.Time) (tls.Certificate, [sha256.Size]byte, error) {
	var none [sha256.Size]byte
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, none, fmt.Errorf("devcert: making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, none, fmt.Errorf("devcert: making a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "localhost", Organization: []string{"godwit development"}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(Lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, none, fmt.Errorf("devcert: signing: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, none, fmt.Errorf("devcert: reading back: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, sha256.Sum256(der), nil
}

// FormatHash writes a hash in lower-case hexadecimal digits, as the tools that
// take one expect it.
func FormatHash(hash [sha256.Size]byte) string { return hex.EncodeToString(hash[:]) }
