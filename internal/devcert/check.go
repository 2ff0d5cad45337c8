package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"time"
)

// maxPinnedLifetime is the longest validity of a certificate that browsers accept
// by its hash (W3C WebTransport, "custom certificate requirements").
const maxPinnedLifetime = 14 * 24 * time.Hour

// CheckPinnable returns why browsers would not accept a certificate by its hash
// (serverCertificateHashes), with what to do about it, or nil if they would.
func CheckPinnable(leaf *x509.Certificate, now time.Time) error {
	// ECDSA with P-256 is the one that every browser has to accept; RSA none may.
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return fmt.Errorf("its key is %s; browsers want ECDSA with P-256", KeyName(leaf))
	}
	if lifetime := leaf.NotAfter.Sub(leaf.NotBefore); lifetime > maxPinnedLifetime {
		return fmt.Errorf("it is valid for %d days in all; browsers want 14 at most", int(lifetime.Round(time.Hour).Hours()/24))
	}
	return CheckValid(leaf, now)
}

// CheckValid returns an error if a certificate is not valid at a time.
func CheckValid(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it expired on %s", formatTime(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it is not valid before %s", formatTime(leaf.NotBefore))
	}
	return nil
}

// formatTime writes a time of validity, which certificates have to the second and
// in UTC.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// KeyName describes the key of a certificate, for people: "ECDSA P-256".
func KeyName(leaf *x509.Certificate) string {
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); ok {
		return "ECDSA " + key.Params().Name
	}
	return leaf.PublicKeyAlgorithm.String()
}

// DueFrom returns from when on a certificate should be renewed: when a third of its
// lifetime is left.
func DueFrom(leaf *x509.Certificate) time.Time {
	return leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
}

// SelfSigned reports whether a certificate was issued by nobody but its own key,
// as those of Make are.
func SelfSigned(leaf *x509.Certificate) bool {
	// Not CheckSignatureFrom, which wants an authority's certificate.
	return leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
}
