package stdtests

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// release is the one whose tests run: the first with hooks for HTTP/3.
const release = "go1.27.3"

// command returns one of the release's go command, which fetches the release from the module
// proxy if it is not here yet, to run in a folder.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+release, "GOWORK=off", "GOFLAGS=")
	return cmd
}

// output runs a command and returns what it prints.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out, complaints.String())
	}
	return string(out)
}

// goroot is a copy of the release with some of it changed.
type goroot struct {
	t   *testing.T
	dir string
	tmp string // for the tests' own files
}

// copyRelease copies what the release's packages are built from; the rest are links.
func copyRelease(t *testing.T) goroot {
	t.Helper()
	kit := peertest.Kit{Name: release, Renew: true, Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{command(ctx, dir, "version")}
	}}
	from := strings.TrimSpace(output(t, command(t.Context(), kit.Dir(t), "env", "GOROOT")))
	g := goroot{t, t.TempDir(), t.TempDir()}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); name == "src" {
			err = os.CopyFS(filepath.Join(g.dir, name), os.DirFS(filepath.Join(from, name)))
		} else {
			err = os.Symlink(filepath.Join(from, name), filepath.Join(g.dir, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// path returns that of a file or folder, by its path below src.
func (g goroot) path(slashed string) string {
	return filepath.Join(g.dir, "src", filepath.FromSlash(slashed))
}

// edit replaces a text, which is there once, in a file.
func (g goroot) edit(file, old, now string) {
	g.t.Helper()
	text, err := os.ReadFile(g.path(file))
	if err != nil {
		g.t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		g.t.Fatalf("%s has %q %d times, want once", file, old, n)
	}
	if err := os.WriteFile(g.path(file), []byte(strings.Replace(string(text), old, now, 1)), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

// add adds the files of a folder to those of a package.
func (g goroot) add(pkg, dir string) {
	g.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := os.MkdirAll(g.path(pkg), 0o755); err != nil {
		g.t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(g.path(pkg), e.Name()), b, 0o644)
		}
		if err != nil {
			g.t.Fatal(err)
		}
	}
}

// replace puts the files of a folder in place of a package.
func (g goroot) replace(pkg, dir string) {
	g.t.Helper()
	if err := os.RemoveAll(g.path(pkg)); err != nil {
		g.t.Fatal(err)
	}
	g.add(pkg, dir)
}

// vendored is the folder of what the standard library imports from elsewhere.
const vendored = "vendor/"

// addGodwit adds our packages, and what they need that the standard library has not.
func (g goroot) addGodwit() {
	g.t.Helper()
	list := command(g.t.Context(), filepath.Join("..", ".."), "list", "-deps",
		"-f", "{{if not .Standard}}{{.ImportPath}} {{.Dir}}{{end}}", "./http3", "./quic")
	for line := range strings.Lines(output(g.t, list)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if sources, _ := filepath.Glob(filepath.Join(g.path(vendored+path), "*.go")); len(sources) == 0 {
			g.add(vendored+path, dir)
		}
	}
}

// buildTests builds the program with net/http's tests, and returns its path.
func (g goroot) buildTests() string {
	g.t.Helper()
	shim := filepath.Join("testdata", "shim")
	// HTTP/3 is off: make it that all others are.
	g.edit("net/http/clientserver_test.go", "if mode == http3Mode {\n\t\t\tcontinue", "if mode != http3Mode {\n\t\t\tcontinue")
	// Many tests are still to be made to work with HTTP/3.
	g.edit("net/http/clientserver_test.go", "var http3SkippedMode = []testMode{", "var http3SkippedMode = []testMode{http3Mode, ")
	// Nobody can ask for HTTP/3 yet.
	g.edit("net/http/http.go", "func (p *Protocols) setHTTP3(", "func (p *Protocols) SetHTTP3(ok bool) { p.setHTTP3(ok) }\n\nfunc (p *Protocols) setHTTP3(")
	g.add("net/http", filepath.Join(shim, "nethttp"))
	g.addGodwit()
	g.replace(vendored+"golang.org/x/net/http3", filepath.Join(shim, "http3"))
	g.replace(vendored+"golang.org/x/net/quic", filepath.Join(shim, "quic"))
	program := filepath.Join(g.dir, "nethttp.test")
	build := exec.CommandContext(g.t.Context(), filepath.Join(g.dir, "bin", "go"), "test", "-c", "-vet=off", "-o", program, "net/http")
	build.Dir = g.path("net/http")
	build.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOROOT="+g.dir, "GOWORK=off", "GOFLAGS=")
	output(g.t, build)
	return program
}
