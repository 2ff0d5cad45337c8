package devcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// issue makes a certificate for localhost of the given key, signed by another one.
func issue(t *testing.T, key, issuer crypto.Signer, from, to time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func newKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCheckPinnable(t *testing.T) {
	p256, p384 := newKey(t, elliptic.P256()), newKey(t, elliptic.P384())
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		key      crypto.Signer
		from, to time.Time
		want     string
	}{
		{"14 days", p256, noon, noon.Add(14 * day), ""},
		{"15 days", p256, noon, noon.Add(15 * day), "valid for 15 days in all"},
		{"P-384", p384, noon, noon.Add(day), "its key is ECDSA P-384"},
		{"RSA", rsaKey, noon, noon.Add(day), "its key is RSA"},
		{"over", p256, noon.Add(-day), noon.Add(-time.Second), "it expired on 2026-03-01 11:59 UTC"},
		{"to come", p256, noon.Add(time.Minute), noon.Add(day), "it is not valid before 2026-03-01 12:01 UTC"},
	} {
		err := CheckPinnable(issue(t, tt.key, tt.key, tt.from, tt.to), noon)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	cert, _, err := Make(noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckPinnable(cert.Leaf, noon); err != nil {
		t.Error("of Make:", err)
	}
}

func TestDueFrom(t *testing.T) {
	key := newKey(t, elliptic.P256())
	leaf := issue(t, key, key, noon, noon.Add(12*day))
	if got, want := DueFrom(leaf), noon.Add(8*day); !got.Equal(want) {
		t.Errorf("due from %v, want %v", got, want)
	}
}

func TestSelfSigned(t *testing.T) {
	key, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	if !SelfSigned(issue(t, key, key, noon, noon.Add(day))) {
		t.Error("signed by its own key, but not taken for that")
	}
	if SelfSigned(issue(t, key, other, noon, noon.Add(day))) {
		t.Error("signed by another key, but not taken for that")
	}
}
