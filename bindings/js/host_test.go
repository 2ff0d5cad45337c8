package js

import (
	"path/filepath"
	"testing"

	"github.com/godwit-quic/godwit/bindings/js/internal/pack"
	"github.com/godwit-quic/godwit/internal/test/jspeer"
)

// TestHost runs suites with an engine that is a process of its own. That is for musl, but
// works with any C library.
func TestHost(t *testing.T) {
	needPython(t)
	source, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	apart := pack.Platform{Name: "linux-x64-gnu", GOOS: "linux", GOARCH: "amd64", Target: "x86_64-linux-gnu.2.28", Apart: true}
	path := filepath.Join(t.TempDir(), "godwit.node")
	if err := (&pack.Packer{Source: source}).Build(t.Context(), apart, path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODWIT_ADDON", path)
	dir := project(t)
	for _, r := range jspeer.Runtimes {
		if r.Name != "Node24" && r.Name != "Bun1.4" {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			run := r.Command(t)
			for _, suite := range []string{"quic.mjs", "serve.mjs", "webtransport.mjs"} {
				t.Run(suite, func(t *testing.T) { command(t, dir, run[0], append(run[1:], suite)...) })
			}
			t.Run("killed", func(t *testing.T) {
				writeAll(t, dir, map[string]string{"killed.mjs": killed})
				if out := command(t, dir, run[0], append(run[1:], "killed.mjs")...); out != "the engine's process has ended\nagain\n" {
					t.Errorf("it printed %q", out)
				}
			})
		})
	}
}

// killed ends the engine's process, of which a server is told, after which another one serves.
const killed = `
import { readdirSync, readFileSync } from 'node:fs';
import { serve } from 'godwit';
const told = new Promise((resolve) => { serve({ http1: false, error: resolve, fetch: () => new Response() }); });
for (const pid of readdirSync('/proc').filter((x) => /^[0-9]+$/.test(x))) {
  try {
    const [, name, parent] = readFileSync('/proc/' + pid + '/stat', 'utf8').match(/[(](.*)[)] . ([0-9]+)/);
    if (name === 'godwit-host' && Number(parent) === process.pid) process.kill(Number(pid), 'SIGKILL');
  } catch { /* it has ended */ }
}
console.log((await told).message);
const again = serve({ http1: false, fetch: () => new Response() });
console.log(again.port > 0 ? 'again' : 'nowhere');
process.exit();
`
