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
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/webtransport"
)

// cargo returns the commands that fetch what the peer in Rust is made of, and build it.
func cargo(ctx context.Context, dir string) []*exec.Cmd {
	build := exec.CommandContext(ctx, "cargo", "build", "--locked", "--target-dir", dir)
	build.Dir = "rust"
	return []*exec.Cmd{build}
}

// needRust builds the peer in Rust, made with web-transport-quinn, and returns its path.
// The first time that takes a minute or two, so it comes before anything with a time limit;
// later cargo finds what has changed.
func needRust(t *testing.T) string {
	t.Helper()
	peertest.Program(t, "install Rust, see https://rustup.rs", "cargo")
	return filepath.Join(rustKit.Dir(t), "debug", "godwit-peer")
}

var rustKit = peertest.Kit{Name: "rust-webtransport", Commands: cargo, Renew: true}

// startRust starts the peer for the time of the test and returns the lines it
// prints. The channel is closed when it has ended; then err says how.
func startRust(t *testing.T, args ...string) (lines <-chan string, err func() error) {
	t.Helper()
	path := needRust(t)
	cmd := exec.CommandContext(timeout(t), path, args...)
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
