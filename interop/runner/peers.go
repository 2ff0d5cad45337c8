package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// peer is an implementation.
type peer struct {
	name    string
	version string
	// make returns the command of its endpoint, which it builds or installs below dir or
	// the user's cache.
	make    func(ctx context.Context, dir string) ([]string, error)
	command []string // once made
	// lacks says why a case that the contract has no name for cannot be passed, by the case.
	lacks map[string]string
	// faults says what is known of a case that fails because of the peer.
	faults map[string]string
}

// ours is the name of Godwit.
const ours = "godwit"

// allPeers returns the implementations, ours first. Sources are below root, the folder of the
// module interop.
func allPeers(root string) []*peer {
	return []*peer{
		{name: ours, make: goProgram(root, "endpoint")},
		{name: "quic-go", version: "0.65.0", make: goProgram(root, "peers/quicgo")},
		{name: "aioquic", version: aioquicVersion, make: python(root), lacks: map[string]string{
			"ecn": "its datagrams go through asyncio, which has no ECN"}},
		{name: "quinn", version: "0.11", make: rust(root, "quinn-endpoint")},
		{name: "quiche", version: "0.30", make: rust(root, "quiche-endpoint"), lacks: map[string]string{
			"ecn": "it leaves sockets to the application, and has no ECN for it"}, faults: map[string]string{
			"rebind-port": quicheRebinding, "rebind-addr": quicheRebinding}},
		{name: "s2n-quic", version: "1.91", make: rust(root, "s2n-endpoint")},
	}
}

// quicheRebinding is what qlog shows of quiche as a server.
const quicheRebinding = "quiche validates the new address, and sends DATA_BLOCKED there, but not again what was lost at the one before"

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

const aioquicVersion = "1.7.2"

func python(root string) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, _ string) ([]string, error) {
		kit, err := peertest.PyPI("aioquic=="+aioquicVersion, "curl_cffi==0.16.3").Install(ctx) // as the tests of interop have it
		if err != nil {
			return nil, err
		}
		return []string{filepath.Join(kit, "bin", "python"), filepath.Join(root, "peers", "aioquic", "endpoint.py")}, nil
	}
}

// rust builds one of the programs in Rust; the first time that takes minutes.
func rust(root, pkg string) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, _ string) ([]string, error) {
		kit := peertest.Kit{Name: "rust-endpoints", Renew: true, Commands: func(ctx context.Context, dir string) []*exec.Cmd {
			cmd := exec.CommandContext(ctx, "cargo", "build", "--quiet", "--locked", "--release", "--package", pkg, "--target-dir", dir)
			cmd.Dir = filepath.Join(root, "peers", "rust")
			return []*exec.Cmd{cmd}
		}}
		dir, err := kit.Install(ctx)
		if err != nil {
			return nil, err
		}
		return []string{filepath.Join(dir, "release", pkg)}, nil
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
