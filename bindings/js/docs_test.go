package js

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
)

// program is one in a document: a module, and what it prints where it says so. If a shell's
// commands follow, it is a server, and they are what to ask it, and the answers.
type program struct {
	text   string
	prints []string
	asks   []ask
}

// ask is a line "curl -k [-d CONTENT] URL # ANSWER".
type ask struct{ content, url, answer string }

var (
	fence  = regexp.MustCompile("(?sm)^```js\n(.*?)^```\n(?:\n```sh\n(.*?)^```)?")
	prints = regexp.MustCompile(`(?m)// prints (.*)$`)
	curls  = regexp.MustCompile(`(?m)^curl -k (?:-d '?(.*?)'? )?(https://\S+) +# (.*)$`)
)

// programs returns those of a document.
func programs(t *testing.T, name string) []program {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []program
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		p := program{text: m[1]}
		for _, line := range prints.FindAllStringSubmatch(m[1], -1) {
			p.prints = append(p.prints, line[1])
		}
		for _, line := range curls.FindAllStringSubmatch(m[2], -1) {
			p.asks = append(p.asks, ask{line[1], line[2], line[3]})
		}
		if m[2] != "" && len(p.asks) != strings.Count(m[2], "\n") {
			t.Errorf("%s: not all of these are understood:\n%s", name, m[2])
		}
		list = append(list, p)
	}
	return list
}

// TestDocuments runs every program of the documents.
func TestDocuments(t *testing.T) {
	names, err := filepath.Glob("../../docs/javascript/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	dir := project(t)
	t.Setenv("GODWIT_ADDON", jspeer.Addon(t))
	for _, r := range jspeer.Runtimes {
		if r.Name != "Node24" && r.Name != "Bun1.4" {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			run := r.Command(t)
			for _, name := range append([]string{"README.md"}, names...) {
				for i, p := range programs(t, name) {
					t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(name), ".md"), i+1), func(t *testing.T) {
						if len(p.asks) > 0 {
							askServer(t, dir, run, p)
							return
						}
						writeAll(t, dir, map[string]string{"program.mjs": p.text})
						out := command(t, dir, run[0], append(run[1:], "program.mjs")...)
						if want := strings.Join(p.prints, "\n"); strings.TrimSpace(out) != want {
							t.Errorf("it printed\n%s\nand not\n%s", out, want)
						}
					})
				}
			}
		})
	}
}

// askServer runs a server, and asks it what its document does, by HTTP/3 and by HTTP/2.
func askServer(t *testing.T, dir string, run []string, p program) {
	const documented = "4433"
	port := freePort(t)
	// The line tells when it listens by TCP as well.
	writeAll(t, dir, map[string]string{"program.mjs": strings.ReplaceAll(p.text, documented, port) + "\nawait server.ready;\nconsole.log('READY');\n"})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, run[0], append(run[1:], "program.mjs")...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "READY" {
	}
	insecure := &tls.Config{InsecureSkipVerify: true} // a certificate of this moment
	three := &http3.Transport{TLSClientConfig: insecure}
	defer three.Close()
	two := &http.Transport{TLSClientConfig: insecure, ForceAttemptHTTP2: true}
	defer two.CloseIdleConnections()
	for name, transport := range map[string]http.RoundTripper{"HTTP/3.0": three, "HTTP/2.0": two} {
		for _, a := range p.asks {
			a.url = strings.ReplaceAll(a.url, documented, port)
			got, err := a.by(ctx, transport)
			if want := name + " " + a.answer; err != nil || got != want {
				t.Errorf("%s: %q, %v, not %q\n%s", a.url, got, err, want, said.String())
			}
		}
	}
}

// by returns the version of HTTP and the answer.
func (a ask) by(ctx context.Context, transport http.RoundTripper) (string, error) {
	method := "GET"
	if a.content != "" {
		method = "POST"
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url, strings.NewReader(a.content))
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.Proto + " " + strings.TrimSpace(string(body)), err
}

// freePort returns one that UDP and TCP have had free just now.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenPacket("udp", l.Addr().String())
		_ = l.Close()
		if err != nil {
			continue
		}
		_ = c.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	t.Fatal("no port is free for both")
	return ""
}
