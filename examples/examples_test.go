// Package examples tests the programs below it, which newcomers copy.
package examples

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// world is a directory with the programs, and a certificate for them.
type world struct {
	t   *testing.T
	ctx context.Context
	dir string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, dir: t.TempDir()}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", w.dir+string(filepath.Separator), "./...").CombinedOutput(); err != nil {
		t.Fatalf("the examples do not build: %v\n%s", err, out)
	}
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := devcert.Save(filepath.Join(w.dir, "cert.pem"), filepath.Join(w.dir, "key.pem"), cert); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.ctx, filepath.Join(w.dir, name), args...)
	cmd.Dir = w.dir
	return cmd
}

// run runs a program to its end and demands that its output matches.
func (w *world) run(want, name string, args ...string) {
	w.t.Helper()
	out, err := w.command(name, args...).CombinedOutput()
	if err != nil || !regexp.MustCompile(want).Match(out) {
		w.t.Errorf("%s: %v, output:\n%s", name, err, out)
	}
}

// server is a program that serves until the test is over.
type server struct {
	cmd    *exec.Cmd
	stderr *bufio.Reader
	url    string
}

// serve starts a program, on a free port, and waits until it tells where it is.
func (w *world) serve(name string, args ...string) *server {
	w.t.Helper()
	s := &server{cmd: w.command(name, append([]string{"-listen", "127.0.0.1:0"}, args...)...)}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	s.stderr = bufio.NewReader(stderr)
	if err := s.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if !found {
		w.t.Fatalf("%s says %q, %v", name, line, err)
	}
	s.url = url
	return s
}

func TestExamples(t *testing.T) {
	w := newWorld(t)
	t.Run("echo", func(t *testing.T) { w.run(`sent back "hello there", <nil>`, "echo", "hello", "there") })
	t.Run("ping", func(t *testing.T) { w.run(`(?s)ping 4 .*smoothed round-trip time`, "ping") })
	t.Run("files", w.testFiles)
	t.Run("webtransport", func(t *testing.T) {
		s := w.serve("webtransport-server")
		line, err := s.stderr.ReadString('\n')
		_, hash, found := strings.Cut(strings.TrimSpace(line), "sha256=")
		if !found {
			t.Fatalf("the server's first line is %q, %v", line, err)
		}
		w.run(`(?m)^stream: "hello there" <nil>$`, "webtransport-client", "-hash", hash, "-url", s.url, "hello", "there")
	})
}

// testFiles fetches a file over HTTP/3 and over TCP, and interrupts the server.
func (w *world) testFiles(t *testing.T) {
	s := w.serve("files", "-root", w.dir, "-cert", "cert.pem", "-key", "key.pem")
	want, err := os.ReadFile(filepath.Join(w.dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{InsecureSkipVerify: true}
	h3, tcp := &http3.Transport{TLSClientConfig: conf}, &http.Transport{TLSClientConfig: conf}
	defer h3.Close()
	defer tcp.CloseIdleConnections()
	for _, transport := range []http.RoundTripper{h3, tcp} {
		resp, err := (&http.Client{Transport: transport}).Get(s.url + "cert.pem")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != string(want) || err != nil {
			t.Errorf("%s: %d bytes, %v", resp.Proto, len(got), err)
		}
		if transport == tcp && !strings.HasPrefix(resp.Header.Get("Alt-Svc"), "h3=") {
			t.Errorf("Alt-Svc is %q", resp.Header.Get("Alt-Svc"))
		}
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the interrupted server ends with %v", err)
	}
}
