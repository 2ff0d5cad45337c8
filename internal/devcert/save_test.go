package devcert

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSave(t *testing.T) {
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for range 2 { // the second replaces the first
		want, _, err := Make(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := Save(certPath, keyPath, want); err != nil {
			t.Fatal(err)
		}
		got, err := Load(certPath, keyPath)
		if err != nil || string(got.Certificate[0]) != string(want.Certificate[0]) {
			t.Errorf("loaded %x, %v", got.Certificate, err)
		}
		leaf, err := LoadLeaf(certPath)
		if err != nil || !leaf.Equal(want.Leaf) {
			t.Errorf("leaf %v, %v", leaf, err)
		}
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{certPath: certMode, keyPath: keyMode} {
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v, want mode %v", path, info, err, want)
			}
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("%v, %v, want two files", files, err)
	}
}

func TestSaveErrors(t *testing.T) {
	dir := t.TempDir()
	cert, _, err := Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	missing, path := filepath.Join(dir, "missing", "x.pem"), filepath.Join(dir, "x.pem")
	if err := Save(path, missing, cert); err == nil || !strings.Contains(err.Error(), "writing the key "+missing) {
		t.Errorf("%v does not name the key", err)
	}
	if err := Save(missing, path, cert); err == nil || !strings.Contains(err.Error(), "writing the certificate "+missing) {
		t.Errorf("%v does not name the certificate", err)
	}
	if err := Save(path, dir, cert); err == nil {
		t.Error("a directory was replaced")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v, want the key alone", files, err)
	}
}

func TestLoadLeaf(t *testing.T) {
	certPath, keyPath, cert := writePair(t, t.TempDir(), "a")
	certPEM, err := os.ReadFile(certPath)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM, err := os.ReadFile(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(both, append(keyPEM, certPEM...), 0o600); err != nil {
		t.Fatal(err)
	}
	if leaf, err := LoadLeaf(both); err != nil || !leaf.Equal(cert.Leaf) {
		t.Errorf("after the key: %v, %v", leaf, err)
	}
	broken := filepath.Join(t.TempDir(), "broken.pem")
	writePEM(t, broken, "CERTIFICATE", []byte("not DER"))
	for path, want := range map[string]string{
		"": "no certificate file", keyPath: "holds no PEM block of type CERTIFICATE", broken: "certificate " + broken,
	} {
		if _, err := LoadLeaf(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", path, err, want)
		}
	}
}

// TestLoadLeafFirst: of a chain the first certificate is the server's.
func TestLoadLeafFirst(t *testing.T) {
	first, _, err := Make(time.Now(), "first")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := Make(time.Now(), "second")
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, leaf := range []*x509.Certificate{first.Leaf, second.Leaf} {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})...)
	}
	path := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(path, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	if leaf, err := LoadLeaf(path); err != nil || !leaf.Equal(first.Leaf) {
		t.Errorf("%v, %v", leaf, err)
	}
}
