package pack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// zig is a C compiler for every platform.
var zig = peertest.PyPI("ziglang==0.17.1")

// tools returns the paths of zig and of the headers.
func tools(ctx context.Context) (compiler, include string, err error) {
	python, err := zig.Install(ctx)
	if err != nil {
		return "", "", err
	}
	headers, err := jspeer.Headers.Install(ctx)
	if err != nil {
		return "", "", err
	}
	found, err := filepath.Glob(filepath.Join(python, "lib", "python3*", "site-packages", "ziglang", "zig"))
	if err != nil || len(found) != 1 {
		return "", "", fmt.Errorf("no zig in %s: %v", python, err)
	}
	return found[0], jspeer.Include(headers), nil
}

// Build builds the addon for a platform, and beside it what else it needs.
func (p *Packer) Build(ctx context.Context, platform Platform, addon string) error {
	compiler, include, err := tools(ctx)
	if err != nil {
		return err
	}
	cc := []string{compiler, "cc", "-target", platform.Target}
	if platform.Apart {
		return p.buildApart(ctx, platform, addon, cc, include)
	}
	external := "-extldflags=-s" // or else zig's own objects keep their symbols
	if platform.GOOS == "darwin" {
		stubs := filepath.Join(p.Source, "internal", "pack", "darwin")
		cc = append(cc, "-F"+stubs, "-L"+stubs)
		external = ""
	}
	cmd := p.goBuild(ctx, platform, addon, "./addon", "-tags=napi", "-buildmode=c-shared", "-ldflags=-s -w "+external)
	cmd.Env = append(cmd.Env, "CGO_ENABLED=1", "CC="+strings.Join(cc, " "), "CGO_CFLAGS=-O2 -I"+include)
	_, err = output(cmd)
	return err
}

func (p *Packer) goBuild(ctx context.Context, platform Platform, to, what string, args ...string) *exec.Cmd {
	args = append([]string{"build", "-trimpath", "-o", to}, args...)
	cmd := exec.CommandContext(ctx, "go", append(args, what)...)
	cmd.Dir = p.Source
	cmd.Env = append(os.Environ(), "GOOS="+platform.GOOS, "GOARCH="+platform.GOARCH)
	return cmd
}

// buildApart builds an addon without Go, of the library's C files and host.c, and the
// process that it starts, which needs no C library.
func (p *Packer) buildApart(ctx context.Context, platform Platform, addon string, cc []string, include string) error {
	library := filepath.Join("..", "c", "libgodwit")
	sources, err := filepath.Glob(filepath.Join(p.Source, library, "*.c"))
	if err != nil {
		return err
	}
	args := append(cc[1:], "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-s", "-o", addon,
		"-I"+library, "-I"+filepath.Dir(library), "-I"+include, filepath.Join("host", "lib", "host.c"), filepath.Join("addon", "napi.c"))
	for _, source := range sources {
		if filepath.Base(source) != "memory.c" { // host.c has other memory
			args = append(args, source)
		}
	}
	cmd := exec.CommandContext(ctx, cc[0], append(args, "-lpthread", "-ldl")...)
	cmd.Dir = p.Source
	if _, err := output(cmd); err != nil {
		return err
	}
	cmd = p.goBuild(ctx, platform, filepath.Join(filepath.Dir(addon), hostName), "./host", "-ldflags=-s -w")
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	_, err = output(cmd)
	return err
}

// notices returns the licenses of what is linked into the addon besides the project: Go's
// runtime and standard library, and modules.
func (p *Packer) notices(ctx context.Context, platform Platform) (string, error) {
	what, cgo := "./addon", "1"
	if platform.Apart {
		what, cgo = "./host", "0"
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-tags=napi", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}	{{.Dir}}{{end}}{{end}}`, what)
	cmd.Dir = p.Source
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo, "GOOS="+platform.GOOS, "GOARCH="+platform.GOARCH)
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
