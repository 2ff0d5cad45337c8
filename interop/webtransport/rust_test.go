package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/peertest"
	"github.com/godwit-quic/godwit/webtransport"
)

// rustPeer builds the peer in Rust, made with web-transport-quinn, once, and
// returns its path. The result is kept for later runs; the first takes a minute or
// two.
var rustPeer = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(cache, "godwit-interop", "rust-webtransport")
	build := exec.Command("cargo", "build", "--locked", "--target-dir", target)
	build.Dir = "rust"
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the peer in Rust: %w\n%s", err, out)
	}
	return filepath.Join(target, "debug", "godwit-peer"), nil
})

// needRust returns the peer's path. Only a machine without Rust may go without.
func needRust(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("cargo"); err != nil {
		t.Skip("Rust is not installed (https://rustup.rs), so its peer cannot be built:", err)
	}
	path, err := rustPeer()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startRust starts the peer for the time of the test and returns the lines it
// prints. The channel is closed when it has ended; then err says how.
func startRust(t *testing.T, args ...string) (lines <-chan string, err func() error) {
	t.Helper()
	cmd := exec.CommandContext(timeout(t), needRust(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, pipeErr := cmd.StdoutPipe()
	if pipeErr != nil {
		t.Fatal(pipeErr)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed, done := make(chan string, 100), make(chan struct{})
	var ended error
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			printed <- s.Text()
		}
		if ended = cmd.Wait(); ended != nil {
			ended = fmt.Errorf("%w\n%s", ended, &stderr)
		}
		close(printed)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range printed { // so that it can end
		}
		<-done
	})
	return printed, func() error { <-done; return ended }
}

// TestRustClient has a client in Rust talk to our server.
func TestRustClient(t *testing.T) {
	url, serverTLS, _, ends := startOurs(t, webtransport.Draft07)
	hash := sha256.Sum256(serverTLS.Certificates[0].Certificate[0])
	lines, failed := startRust(t, "client", url, hex.EncodeToString(hash[:]))
	var got []string
	for line := range lines {
		got = append(got, line)
	}
	if err := failed(); err != nil {
		t.Fatalf("the client said %q, then: %v", got, err)
	}
	want := []string{
		"ok ready", "ok datagram", "ok echo 0", "ok echo 1", "ok echo 65536", "ok echo 8388608", "ok unidirectional",
		"ok reset", "ok stop", "ok push", "ok close", "ok rejection", "ok subprotocol",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the client said %q, want %q", got, want)
	}
	wantClosed(t, <-ends, 77, "enough")
}

// TestRustServer has our client talk to a server in Rust.
func TestRustServer(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	certificate, key := derFiles(t, serverTLS)
	lines, failed := startRust(t, "server", certificate, key)
	addr, ok := <-lines
	if !ok {
		t.Fatal(failed())
	}
	url := "https://" + addr
	d := &webtransport.Dialer{TLSClientConfig: clientTLS}
	t.Run("echo", func(t *testing.T) {
		s := dial(t, d, url+"/echo")
		if s.Draft() != webtransport.Draft07 {
			t.Errorf("%v, want %v", s.Draft(), webtransport.Draft07)
		}
		useEcho(t, s)
		_ = s.CloseWithError(78, "goodbye")
		if got := <-lines; got != "closed 78 goodbye" {
			t.Errorf("the server says %q", got)
		}
	})
	t.Run("push", func(t *testing.T) { takePush(t, dial(t, d, url+"/push")) })
	t.Run("close", func(t *testing.T) {
		s := dial(t, d, url+"/close")
		<-s.Context().Done()
		wantClosed(t, context.Cause(s.Context()), 41, "closed by the server")
	})
	t.Run("rejection", func(t *testing.T) { wantRefused(t, d, url+"/reject") })
	t.Run("subprotocol", func(t *testing.T) { wantSubprotocol(t, clientTLS, url+"/subprotocol") })
}

// derFiles writes a certificate and its key to files.
func derFiles(t *testing.T, conf *tls.Config) (certificate, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(conf.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate"), filepath.Join(dir, "key")
	err = errors.Join(os.WriteFile(certificate, conf.Certificates[0].Certificate[0], 0o600), os.WriteFile(key, der, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}
