package pack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// Headers has those of Node-API, in node_modules/node-api-headers/include.
var Headers = peertest.NPM("node-api-headers", "1.9.0")

// zig is a C compiler for every platform.
var zig = peertest.PyPI("ziglang==0.17.1")

// Include returns the folder with Node-API's headers, in the folder of Headers.
func Include(dir string) string {
	return filepath.Join(dir, "node_modules", "node-api-headers", "include")
}

// tools returns the paths of zig and of the headers.
func tools(ctx context.Context) (compiler, include string, err error) {
	python, err := zig.Install(ctx)
	if err != nil {
		return "", "", err
	}
	headers, err := Headers.Install(ctx)
	if err != nil {
		return "", "", err
	}
	found, err := filepath.Glob(filepath.Join(python, "lib", "python3*", "site-packages", "ziglang", "zig"))
	if err != nil || len(found) != 1 {
		return "", "", fmt.Errorf("no zig in %s: %v", python, err)
	}
	return found[0], Include(headers), nil
}

// build builds the addon.
func (p *Packer) build(ctx context.Context, platform Platform, addon string) error {
	compiler, include, err := tools(ctx)
	if err != nil {
		return err
	}
	cc := []string{compiler, "cc", "-target", platform.Target}
	external := "-extldflags=-s" // or else zig's own objects keep their symbols
	if platform.GOOS == "darwin" {
		stubs := filepath.Join(p.Source, "internal", "pack", "darwin")
		cc = append(cc, "-F"+stubs, "-L"+stubs)
		external = ""
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-tags=napi", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w "+external, "-o", addon, "./addon")
	cmd.Dir = p.Source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS="+platform.GOOS, "GOARCH="+platform.GOARCH, "CC="+strings.Join(cc, " "), "CGO_CFLAGS=-O2 -I"+include)
	_, err = output(cmd)
	return err
}

// notices returns the licenses of what is linked into the addon besides the project: Go's
// runtime and standard library, and modules.
func (p *Packer) notices(ctx context.Context, platform Platform) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-tags=napi", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}	{{.Dir}}{{end}}{{end}}`, "./addon")
	cmd.Dir = p.Source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS="+platform.GOOS, "GOARCH="+platform.GOARCH)
	modules, err := output(cmd)
	if err != nil {
		return "", err
	}
	root, err := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	seen := make(map[string]bool)
	for line := range strings.Lines("Go\t" + root + modules) {
		name, dir, found := strings.Cut(strings.TrimSpace(line), "\t")
		if !found || seen[name] {
			continue
		}
		seen[name] = true
		license, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s\n\n%s\n\n", name, license)
	}
	return b.String(), nil
}
