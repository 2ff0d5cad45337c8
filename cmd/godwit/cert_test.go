package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// certPaths returns where a certificate and its key go, as flags.
func certPaths(dir string) (cert, key string, flags []string) {
	cert, key = filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key")
	return cert, key, []string{"--cert", cert, "--key", key}
}

// saveCert writes a certificate that was made some time ago.
func saveCert(t *testing.T, dir string, age time.Duration, hosts ...string) (flags []string) {
	t.Helper()
	cert, _, err := devcert.Make(time.Now().Add(-age), hosts...)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath, flags := certPaths(dir)
	if err := devcert.Save(certPath, keyPath, cert); err != nil {
		t.Fatal(err)
	}
	return flags
}

func certHash(t *testing.T, path string) string {
	t.Helper()
	leaf, err := devcert.LoadLeaf(path)
	if err != nil {
		t.Fatal(err)
	}
	return devcert.FormatHash(sha256.Sum256(leaf.Raw))
}

// TestCertMake makes a certificate and uses it as its output says.
func TestCertMake(t *testing.T) {
	cert, key, flags := certPaths(t.TempDir())
	r := godwit(t, "", append([]string{"cert", "make"}, flags...)...)
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	hash := certHash(t, cert)
	for _, want := range []string{"localhost, 127.0.0.1, ::1, until 20", "serve --cert " + cert + " --key " + key + "\n", "--cert-hash " + hash} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	pasted := regexp.MustCompile(`atob\("([^"]+)"\)`).FindStringSubmatch(r.stdout)
	if pasted == nil {
		t.Fatalf("no line for a page in\n%s", r.stdout)
	}
	if sum, err := base64.StdEncoding.DecodeString(pasted[1]); err != nil || hex.EncodeToString(sum) != hash {
		t.Errorf("a page gets the hash %x, %v, want %s", sum, err, hash)
	}

	s := startServer(t, append([]string{"serve", "--listen", "localhost:0"}, flags...)...)
	if s.hash != hash {
		t.Errorf("serve says the hash is %s, want %s", s.hash, hash)
	}
	if r := godwit(t, "", "get", "--cacert", cert, s.url("/hello")); r.code != exitOK {
		t.Errorf("%+v", r)
	}
}

func TestCertMakeHosts(t *testing.T) {
	cert, _, flags := certPaths(t.TempDir())
	r := godwit(t, "", append([]string{"cert", "make", "*.example.com", "2001:db8::7"}, flags...)...)
	for _, want := range []string{"--listen :4433\n", " https://www.example.com:4433/\n"} {
		if r.code != exitOK || !strings.Contains(r.stdout, want) {
			t.Errorf("%+v lacks %q", r, want)
		}
	}
	leaf, err := devcert.LoadLeaf(cert)
	if err != nil || !slices.Equal(devcert.Hosts(leaf), []string{"*.example.com", "2001:db8::7"}) {
		t.Errorf("%v, %v", leaf, err)
	}
}

// TestCertMakeKeeps: nothing is replaced unless that is asked for.
func TestCertMakeKeeps(t *testing.T) {
	dir := t.TempDir()
	cert, key, flags := certPaths(dir)
	if err := os.WriteFile(key, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := append([]string{"cert", "make"}, flags...)
	if r := godwit(t, "", command...); r.code != exitFailure || !strings.Contains(r.stderr, key+" is there already") || !strings.Contains(r.stderr, "--force") {
		t.Errorf("%+v", r)
	}
	if data, err := os.ReadFile(key); string(data) != "precious" {
		t.Errorf("the key is now %q, %v", data, err)
	}
	if r := godwit(t, "", append(command, "--force")...); r.code != exitOK {
		t.Errorf("%+v", r)
	}
	if _, err := devcert.Load(cert, key); err != nil {
		t.Error(err)
	}
}

func TestCertShow(t *testing.T) {
	dir := t.TempDir()
	cert, _, _ := certPaths(dir)
	saveCert(t, dir, 36*time.Hour, "dev.example.com", "192.0.2.7")
	hash := certHash(t, cert)
	r := godwit(t, "", "cert", "show", cert)
	for _, want := range []string{
		`(?m)^hosts +dev\.example\.com, 192\.0\.2\.7$`, `(?m)^valid +from 20.* UTC to 20.* UTC: 11 days left$`,
		`(?m)^key +ECDSA P-256$`, `(?m)^SHA-256 +` + hash + `$`, `(?m)^page +new WebTransport\(`,
	} {
		if r.code != exitOK || !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("%+v lacks %s", r, want)
		}
	}
	if r := godwit(t, "", "cert", "show", "--hash", cert); r.code != exitOK || r.stdout != hash+"\n" {
		t.Errorf("%+v, want %s", r, hash)
	}
	r = godwit(t, "", "cert", "show", "--json", cert)
	var got certFacts
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || got.SHA256 != hash || !got.Valid || got.Problem != "" ||
		!strings.Contains(got.JavaScript, "c => c.charCodeAt") || !strings.Contains(r.stdout, "=> c.charCodeAt") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCertShowProblems: what browsers would not accept is said to be so.
func TestCertShowProblems(t *testing.T) {
	dir := t.TempDir()
	cert, _, _ := certPaths(dir)
	saveCert(t, dir, 14*24*time.Hour)
	r := godwit(t, "", "cert", "show", cert)
	if r.code != exitOK || strings.Count(r.stdout, "it expired on") != 2 || strings.Contains(r.stdout, "new WebTransport") {
		t.Errorf("expired: %+v", r)
	}
	saveCert(t, dir, 12*24*time.Hour)
	if r := godwit(t, "", "cert", "show", cert); r.code != exitOK || !strings.Contains(r.stdout, ": 23 hours left\n") {
		t.Errorf("on its last day: %+v", r)
	}
}

func TestCertRenew(t *testing.T) {
	dir := t.TempDir()
	cert, _, flags := certPaths(dir)
	command := append([]string{"cert", "renew"}, flags...)
	saveCert(t, dir, 8*24*time.Hour, "dev.example.com", "192.0.2.7")
	before := certHash(t, cert)
	if r := godwit(t, "", command...); r.code != exitOK || !strings.Contains(r.stdout, "is not due before 20") || !strings.Contains(r.stdout, "4 days left") || certHash(t, cert) != before {
		t.Errorf("before it is due: %+v", r)
	}
	if r := godwit(t, "", append(command, "--force")...); r.code != exitOK || certHash(t, cert) == before {
		t.Errorf("forced: %+v", r)
	}
	saveCert(t, dir, 9*24*time.Hour, "dev.example.com", "192.0.2.7")
	before = certHash(t, cert)
	if r := godwit(t, "", command...); r.code != exitOK || !strings.Contains(r.stdout, certHash(t, cert)) || certHash(t, cert) == before {
		t.Errorf("due: %+v", r)
	}
	leaf, err := devcert.LoadLeaf(cert)
	if err != nil || !slices.Equal(devcert.Hosts(leaf), []string{"dev.example.com", "192.0.2.7"}) || time.Until(leaf.NotAfter) < 12*24*time.Hour {
		t.Errorf("renewed: %v, %v", leaf, err)
	}
}

// issueCert writes a certificate with the key given, signed by another one, that is
// valid for 30 days, of which an hour is left.
func issueCert(t *testing.T, dir string, key, authority crypto.Signer) (flags []string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	template.NotAfter = time.Now().Add(time.Hour)
	template.NotBefore = template.NotAfter.Add(-30 * 24 * time.Hour)
	template.Subject.CommonName = "Some Authority"
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), authority)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath, flags := certPaths(dir)
	if err := devcert.Save(certPath, keyPath, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	return flags
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCertErrors(t *testing.T) {
	dir, others, issued := t.TempDir(), t.TempDir(), t.TempDir()
	cert, key, flags := certPaths(dir)
	saveCert(t, dir, 0)
	saveCert(t, others, 0)
	_, othersKey, _ := certPaths(others)
	missing := filepath.Join(dir, "missing")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"show", missing}, exitFailure, "reading the certificate: open " + missing},
		{[]string{"show", key}, exitFailure, key + " holds no PEM block of type CERTIFICATE"},
		{[]string{"show", "--hash", "--json", cert}, exitUsage, "--hash and --json"},
		{[]string{"make", "localhost:4433", "--cert", missing, "--key", missing + ".key"}, exitUsage, "without scheme or port"},
		{[]string{"make", "--cert", missing, "--key", missing}, exitUsage, "two files"},
		{[]string{"make", "--cert", missing + "/cert", "--key", missing + "/key"}, exitFailure, "writing the key " + missing},
		{[]string{"renew", "--cert", missing, "--key", key}, exitFailure, "godwit cert make"},
		{[]string{"renew", "--cert", cert, "--key", othersKey}, exitFailure, "does not match"},
		{append([]string{"renew"}, issueCert(t, issued, newKey(t), newKey(t))...), exitFailure, "was signed by \"CN=Some Authority\": renew it there"},
		{append([]string{"renew", "more"}, flags...), exitUsage, "more"},
	} {
		r := godwit(t, "", append([]string{"cert"}, tt.args...)...)
		if r.code != tt.code || r.stdout != "" || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%v: %+v, want %d and %q", tt.args, r, tt.code, tt.want)
		}
	}
}

// TestServeWarns: a server that no client, or no browser, will accept says so.
func TestServeWarns(t *testing.T) {
	key := newKey(t)
	for want, flags := range map[string][]string{
		"no client will accept the certificate": saveCert(t, t.TempDir(), 14*24*time.Hour),
		"it is valid for 30 days in all":        issueCert(t, t.TempDir(), key, key),
	} {
		s := startServer(t, append([]string{"serve", "--listen", "localhost:0"}, flags...)...)
		s.awaitLine(t, want)
	}
	// An authority's certificate need not be accepted by its hash.
	s := startServer(t, append([]string{"serve", "--listen", "localhost:0"}, issueCert(t, t.TempDir(), key, newKey(t))...)...)
	if said := s.stderr.String(); said != "" {
		t.Errorf("serve says %q", said)
	}
}
