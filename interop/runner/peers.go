package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// peer is an implementation.
type peer struct {
	name    string
	version string
	// make returns the command of its endpoint, which it builds or installs below dir or
	// the user's cache.
	make    func(ctx context.Context, dir string) ([]string, error)
	command []string // once made
}

// ours is the name of Godwit.
const ours = "godwit"

// allPeers returns the implementations, ours first. Sources are below root, the folder of the
// module interop.
func allPeers(root string) []*peer {
	return []*peer{
		{name: ours, make: goProgram(root, "endpoint")},
		{name: "quic-go", version: "0.65.0", make: goProgram(root, "peers/quicgo")},
	}
}

func goProgram(root, pkg string) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, dir string) ([]string, error) {
		program := filepath.Join(dir, filepath.Base(pkg))
		cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./"+pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
		return []string{program}, nil
	}
}

// choose returns the peers with these names, all for none.
func choose(peers []*peer, names []string) ([]*peer, error) {
	if len(names) == 0 {
		return peers, nil
	}
	var list []*peer
	for _, name := range names {
		i := slices.IndexFunc(peers, func(p *peer) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no peer %q", name)
		}
		list = append(list, peers[i])
	}
	return list, nil
}

// moduleRoot returns the folder of the module interop: the working directory or one above.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "peers", "quicgo")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("not below the folder of the module interop")
		}
		dir = above
	}
}
