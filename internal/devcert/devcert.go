// Package devcert provides the certificates a server starts with: one that it
// makes itself, good enough to develop with, or a PEM pair from files.
//
//	cert, hash, err := devcert.Make(time.Now())
//	fmt.Println("certificate's SHA-256:", devcert.FormatHash(hash))
//
//	err := devcert.Save("cert.pem", "key.pem", cert)
//	cert, err := devcert.Load("cert.pem", "key.pem")
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
	// maxCommonName is the longest common name that X.509 has room for, in bytes
	// (RFC 5280, Appendix A.1).
	maxCommonName = 64
)

// Make makes a self-signed ECDSA P-256 certificate that is valid for Lifetime from
// now, and returns it with the SHA-256 of its DER encoding. It is for the hosts
// given, names or IP addresses, or for localhost, 127.0.0.1 and ::1 when there are
// none. Only Save and Encode take the key out.
func Make(now time.Time, hosts ...string) (tls.Certificate, [sha256.Size]byte, error) {
	var none [sha256.Size]byte
	template, err := newTemplate(now, hosts)
	if err != nil {
		return tls.Certificate{}, none, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, none, fmt.Errorf("devcert: making a key: %w", err)
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

// newTemplate returns what is to be signed.
func newTemplate(now time.Time, hosts []string) (*x509.Certificate, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	names, addresses, err := splitHosts(hosts)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("devcert: making a serial number: %w", err)
	}
	subject := pkix.Name{Organization: []string{"godwit development"}}
	if len(hosts[0]) <= maxCommonName {
		subject.CommonName = hosts[0]
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject,
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(Lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              names,
		IPAddresses:           addresses,
	}, nil
}

// FormatHash writes a hash in lower-case hexadecimal digits, as the tools that
// take one expect it.
func FormatHash(hash [sha256.Size]byte) string { return hex.EncodeToString(hash[:]) }
