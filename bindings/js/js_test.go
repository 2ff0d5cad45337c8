package js

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// packages are those that the suites use the package with.
var packages = map[string]*peertest.Kit{
	"undici":            peertest.NPM("undici", "7.30.2"),
	"express":           peertest.NPM("express", "5.3.0"),
	"fastify":           peertest.NPM("fastify", "5.12.8"),
	"hono":              peertest.NPM("hono", "4.13.19"),
	"@hono/node-server": peertest.NPM("@hono/node-server", "2.1.9"),
	"engine.io":         peertest.NPM("engine.io", "6.6.13"),
	"socket.io":         peertest.NPM("socket.io", "4.8.4"),
	"socket.io-client":  peertest.NPM("socket.io-client", "4.8.4"),
}

// TestSuites runs each suite with each runtime.
func TestSuites(t *testing.T) {
	suites, err := filepath.Glob("test/*.mjs")
	if err != nil || len(suites) < 2 {
		t.Fatalf("no suites: %v", err)
	}
	addon, project := jspeer.Addon(t), project(t)
	for name, kit := range packages {
		install(t, project, name, kit)
	}
	for _, r := range jspeer.Runtimes {
		t.Run(r.Name, func(t *testing.T) {
			run := r.Command(t)
			for _, suite := range suites {
				name := strings.TrimSuffix(filepath.Base(suite), ".mjs")
				if name == "suite" || name == "undici" && strings.HasPrefix(r.Name, "Bun") {
					continue // Bun puts a module of its own, without dispatchers, in undici's place
				}
				t.Run(name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					cmd := exec.CommandContext(ctx, run[0], append(run[1:len(run):len(run)], filepath.Base(suite))...)
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

func TestMain(m *testing.M) { jspeer.Main(m) }

// project makes a folder in which the package is installed, with the suites, a certificate,
// and one that has expired.
func project(t *testing.T) string {
	t.Helper()
	dir := jspeer.Project(t, "test")
	for name, from := range map[string]time.Time{"": time.Now(), "expired-": time.Now().AddDate(0, -1, 0)} {
		cert, _, err := devcert.Make(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := devcert.Save(filepath.Join(dir, name+"cert.pem"), filepath.Join(dir, name+"key.pem"), cert); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// install puts a package of a kit into a project.
func install(t *testing.T, project, name string, kit *peertest.Kit) {
	t.Helper()
	jspeer.Link(t, project, name, filepath.Join(kit.Dir(t), "node_modules", name))
}
