package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// programs are where things are.
type programs struct {
	dir       string // of the Go programs and the certificate
	cache     string // of what takes long to build or to install
	cert, key string // PEM files: ECDSA P-256, the same for all servers
	bun, node string
	addon     string            // the JavaScript package's engine
	missing   map[string]string // families that cannot be had here, and why
}

func (p *programs) bin(name string) string  { return filepath.Join(p.dir, name) }
func (p *programs) rust(name string) string { return filepath.Join(p.cache, "rust", "release", name) }

// build makes all programs that the settings ask for.
func build(ctx context.Context, dir string, s *settings, progress func(string, ...any)) (*programs, error) {
	home, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	p := &programs{dir: dir, cache: filepath.Join(home, "godwit-bench"), missing: make(map[string]string)}
	if err := p.makeCertificate(); err != nil {
		return nil, err
	}
	progress("building the Go programs")
	if err := command(ctx, ".", "go", "build", "-o", dir+"/", "./perfd", "./httpd", "./load", "./relay", "./floor"); err != nil {
		return nil, err
	}
	if err := command(ctx, "..", "go", "build", "-o", dir+"/", "./cmd/godwit"); err != nil {
		return nil, err
	}
	for _, extra := range []struct {
		family string
		make   func(context.Context) error
	}{
		{"bun", p.installBun},
		{"godwit-js", p.buildJavaScript},
		{"quinn", func(ctx context.Context) error { return p.cargo(ctx, "quinn-perf") }},
		{"quiche", func(ctx context.Context) error { return p.cargo(ctx, "quiche-perf") }},
	} {
		if !s.wantsPeer(extra.family) {
			continue
		}
		progress("building %s, which takes minutes the first time", extra.family)
		if err := extra.make(ctx); err != nil {
			progress("without %s: %v", extra.family, err)
			p.missing[extra.family] = err.Error()
		}
	}
	return p, nil
}

// makeCertificate makes the certificate of all servers.
func (p *programs) makeCertificate() error {
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	p.cert, p.key = p.bin("cert.pem"), p.bin("key.pem")
	return errors.Join(
		writePEM(p.cert, "CERTIFICATE", cert.Certificate[0]),
		writePEM(p.key, "PRIVATE KEY", key),
	)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// bunVersion is the release measured.
const bunVersion = "1.4.5"

// installBun installs Bun from npm, once.
func (p *programs) installBun(ctx context.Context) error {
	dir := filepath.Join(p.cache, "bun-"+bunVersion)
	p.bun = filepath.Join(dir, "node_modules", ".bin", "bun")
	if _, err := os.Stat(p.bun); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return command(ctx, ".", "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "bun@"+bunVersion)
}

// cargo builds one of the programs in Rust, or brings it up to date.
func (p *programs) cargo(ctx context.Context, name string) error {
	target := filepath.Join(p.cache, "rust")
	return command(ctx, "rust", "cargo", "build", "--quiet", "--locked", "--release", "--package", name, "--target-dir", target)
}

// command runs a program in a directory.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	log := new(tail)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, log)
	}
	return nil
}
