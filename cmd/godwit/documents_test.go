package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

var (
	shellBlocks  = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	pageCommands = regexp.MustCompile(`<code>(godwit [^<]*)</code>`)
	serving      = regexp.MustCompile(`^(?:bin/)?godwit (?:perf )?serve\b`)
	makeTarget   = regexp.MustCompile(`^make ([a-z-]+)`)
)

// smaller has the commands do less than in the documents, so that they are over sooner.
var smaller = strings.NewReplacer("bytes/1000000000", "bytes/1000000", "bytes/1073741824", "bytes/1000000", "1GiB", "1MiB",
	"-D 10 ", "-D 100ms ", "--duration 5s", "--duration 100ms", "--duration 10s", "--duration 100ms", "-n 100000", "-n 100", "go run ./cmd/godwit", "bin/godwit")

// reader does what a reader of the documents does, in a clone and with a demo that runs.
type reader struct {
	t        *testing.T
	ctx      context.Context
	dir      string // where commands run
	env      []string
	demo     string // its address
	other    string // that of the server of this block, at port 4434 in the documents
	makefile string
	ran      int
}

// TestDocumentedCommands runs the commands in the sh blocks of the documents and on the
// demo's page. Those of docs/javascript are run by the tests of the npm package.
func TestDocumentedCommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		peertest.NotHere(t, "the commands of the documents", "run it on another system than Windows")
	}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	demo := startServer(t, "serve", "--listen", "localhost:0")
	ran := 0
	for _, path := range append(paths, "../../README.md", "../../CONTRIBUTING.md") {
		r := newReader(t, demo.addr)
		for _, block := range shellBlocks.FindAllStringSubmatch(r.read(path), -1) {
			r.runAll(path, strings.Split(strings.TrimSpace(block[1]), "\n"))
		}
		ran += r.ran
	}
	r := newReader(t, demo.addr)
	page := strings.ReplaceAll(r.read("internal/demo/page/page.html"), "{{.Host}}", "localhost:4433")
	for _, m := range pageCommands.FindAllStringSubmatch(page, -1) {
		r.runAll("the page", []string{m[1]})
	}
	if r.ran < 5 || ran < 25 {
		t.Errorf("only %d commands were found on the page, and %d in documents", r.ran, ran)
	}
}

// newReader makes the directory: a module, with the README and this test as bin/godwit,
// beside a clone.
func newReader(t *testing.T, demo string) *reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	top := t.TempDir()
	r := &reader{t: t, ctx: ctx, dir: filepath.Join(top, "module"), demo: demo}
	bin := filepath.Join(r.dir, "bin")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	clone, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r.makefile = r.read(filepath.Join(clone, "Makefile"))
	for _, err := range []error{
		os.MkdirAll(bin, 0o755),
		os.Symlink(self, filepath.Join(bin, "godwit")),
		os.Symlink(clone, filepath.Join(top, "godwit")),
		os.WriteFile(filepath.Join(r.dir, "go.mod"), []byte("module example.com/module\n\ngo 1.26\n"), 0o666),
		os.WriteFile(filepath.Join(r.dir, "README.md"), []byte(r.read(filepath.Join(clone, "README.md"))), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.env = append(os.Environ(), "GODWIT_TEST_RUN_MAIN=1", "XDG_CACHE_HOME="+filepath.Join(top, "cache"),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return r
}

func (r *reader) read(path string) string {
	r.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

// runAll runs the commands of a block.
func (r *reader) runAll(where string, lines []string) {
	r.t.Helper()
	var ends []func()
	for _, line := range lines {
		r.ran++
		line = strings.ReplaceAll(smaller.Replace(line), "localhost:4433", r.demo)
		if target := makeTarget.FindStringSubmatch(line); target != nil {
			if !strings.Contains(r.makefile, "\n"+target[1]+":") {
				r.t.Errorf("%s: %s: there is no such target", where, line)
			}
			continue
		}
		if strings.HasPrefix(line, "go build ") {
			continue // this test is it
		}
		if _, err := exec.LookPath("openssl"); err != nil && strings.HasPrefix(line, "openssl ") {
			line = "printf '%064d' 1 > fleet-keys"
		}
		if !serving.MatchString(line) {
			line = strings.ReplaceAll(line, "localhost:4434", r.other)
			if out, err := r.command(line).CombinedOutput(); err != nil {
				r.t.Errorf("%s: %s: %v\n%s", where, line, err, out)
			}
			continue
		}
		background := strings.HasSuffix(line, "&")
		end := r.serve(where, strings.TrimSuffix(line, "&"))
		if background {
			ends = append(ends, end)
		} else {
			end() // or there would be no next line
		}
	}
	for _, end := range ends {
		end()
	}
}

// serve runs a command until it serves. The function that it returns interrupts it.
func (r *reader) serve(where, line string) (end func()) {
	r.t.Helper()
	if strings.Contains(line, "localhost:4434") {
		line = strings.ReplaceAll(line, "localhost:4434", "localhost:0")
	} else {
		line = strings.Replace(line, " serve", " serve --listen localhost:0", 1)
	}
	cmd := r.command("exec " + line)
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.t.Fatalf("%s: %s: %v", where, line, err)
	}
	lines := bufio.NewReader(stdout)
	first, _ := lines.ReadString('\n')
	if m := addrLine.FindStringSubmatch(first); m != nil {
		r.other = m[1]
	} else {
		r.t.Errorf("%s: %s: printed %q", where, line, first)
	}
	return func() {
		interrupted := cmd.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, lines)
		if err := cmd.Wait(); err != nil || interrupted != nil {
			r.t.Errorf("%s: %s: %v, %v\n%s", where, line, err, interrupted, stderr.String())
		}
	}
}

func (r *reader) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(r.ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// TestHelpExamples runs the examples of the commands' help, but for those that need the
// world, or a port below 1024.
func TestHelpExamples(t *testing.T) {
	if runtime.GOOS == "windows" {
		peertest.NotHere(t, "the examples of the help", "run it on another system than Windows")
	}
	top := t.TempDir()
	cert, key := filepath.Join(top, "cert.pem"), filepath.Join(top, "key.pem")
	if r := godwit(t, "", "cert", "make", "--cert", cert, "--key", key); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	demo := startServer(t, "serve", "--listen", "localhost:0", "--cert", cert, "--key", key)
	perf := startServer(t, "perf", "serve", "--listen", "localhost:0")
	ran := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		addr := demo.addr
		if strings.HasPrefix(name(cmd), "perf") {
			addr = perf.addr
		}
		r := newReader(t, addr)
		for _, err := range []error{
			os.Mkdir(filepath.Join(r.dir, "tls"), 0o755),
			os.Mkdir(filepath.Join(r.dir, "public"), 0o755),
			os.WriteFile(filepath.Join(r.dir, "photo.jpg"), []byte("no photo"), 0o666),
			os.WriteFile(filepath.Join(r.dir, defaultCert), []byte(r.read(cert)), 0o666),
			os.WriteFile(filepath.Join(r.dir, defaultKey), []byte(r.read(key)), 0o600),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(line)
			if line == "" || strings.Contains(line, "https://example.") || strings.Contains(line, ":443 ") {
				continue
			}
			if strings.HasPrefix(line, "godwit cert make") { // where there is none
				_ = os.Remove(filepath.Join(r.dir, defaultCert))
				_ = os.Remove(filepath.Join(r.dir, defaultKey))
			}
			r.runAll(cmd.CommandPath()+" --help", []string{line})
		}
		ran += r.ran
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() && name(sub) != "completion" {
				walk(sub)
			}
		}
	}
	walk((&app{}).rootCommand())
	if ran < 15 {
		t.Errorf("only %d examples were found", ran)
	}
}
