package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMake(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cert, hash, err := Make(now)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(cert.Certificate[0]); hash != want {
		t.Errorf("hash %x, want %x", hash, want)
	}
	if key, ok := cert.PrivateKey.(*ecdsa.PrivateKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("key %T, want ECDSA P-256", cert.PrivateKey)
	}
	leaf := cert.Leaf
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if err := leaf.VerifyHostname("example.com"); err == nil {
		t.Error("valid for example.com")
	}
	if leaf.NotBefore.After(now) || !leaf.NotAfter.Equal(now.Add(13*24*time.Hour)) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if span := leaf.NotAfter.Sub(leaf.NotBefore); span > 14*24*time.Hour {
		t.Errorf("valid for %v, browsers accept 14 days", span)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost", CurrentTime: now}); err != nil {
		t.Error("as its own root:", err)
	}
	if _, other, err := Make(now); err != nil || other == hash {
		t.Errorf("a second certificate has hash %x, %v", other, err)
	}
}

// writePair writes a certificate and its key to files.
func writePair(t *testing.T, dir, name string) (certPath, keyPath string, cert tls.Certificate) {
	t.Helper()
	cert, _, err := Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	writePEM(t, certPath, "CERTIFICATE", cert.Certificate[0])
	writePEM(t, keyPath, "PRIVATE KEY", key)
	return certPath, keyPath, cert
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	certPath, keyPath, want := writePair(t, dir, "a")
	got, err := Load(certPath, keyPath)
	if err != nil || string(got.Certificate[0]) != string(want.Certificate[0]) {
		t.Fatalf("loaded %x, %v", got.Certificate, err)
	}

	_, otherKey, _ := writePair(t, dir, "b")
	text, broken := filepath.Join(dir, "text"), filepath.Join(dir, "broken")
	if err := os.WriteFile(text, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	writePEM(t, broken, "PRIVATE KEY", []byte("not DER"))
	missing := filepath.Join(dir, "missing")
	for _, tt := range []struct{ name, cert, key, want string }{
		{"no certificate file", missing, keyPath, "reading the certificate: open " + missing},
		{"no key file", certPath, missing, "reading the key: open " + missing},
		{"directory", dir, keyPath, "reading the certificate"},
		{"no certificate path", "", keyPath, "no certificate file is given"},
		{"no key path", certPath, "", "no key file is given"},
		{"text as certificate", text, keyPath, "certificate file " + text + " holds no PEM block of type CERTIFICATE"},
		{"text as key", certPath, text, "key file " + text + " holds no PEM block of type PRIVATE KEY"},
		{"files swapped", keyPath, certPath, "holds no PEM block of type CERTIFICATE"},
		{"broken key", certPath, broken, "with key " + broken},
		{"key of another certificate", certPath, otherKey, "private key does not match public key"},
	} {
		if _, err := Load(tt.cert, tt.key); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
	if _, err := Load(missing, keyPath); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func ExampleMake() {
	cert, hash, err := Make(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cert.Leaf.DNSNames, cert.Leaf.IPAddresses, len(FormatHash(hash)))
	// Output: [localhost] [127.0.0.1 ::1] 64
}
