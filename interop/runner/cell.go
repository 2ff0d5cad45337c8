package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/interop/runner/network"
	"github.com/godwit-quic/godwit/interop/runner/trace"
)

// cell is a case between a server and a client.
type cell struct {
	*testCase
	server, client *peer
	dir            string // for its files
	qlog           bool
	seed           uint64
}

// outcome is what came of a cell.
type outcome struct {
	verdict verdict
	why     string // of what is not passed
	dir     string
}

type verdict uint8

const (
	passed verdict = iota
	failed
	unsupported
)

func (v verdict) String() string { return [...]string{"passed", "failed", "unsupported"}[v] }

// statusUnsupported is how an endpoint ends that does not know a case.
const statusUnsupported = 127

// side is one of the two that run.
type side struct {
	name string // "server" or "client"
	peer *peer
	dir  string
	*process
}

func (c *cell) side(name string, p *peer) side {
	return side{name: name, peer: p, dir: filepath.Join(c.dir, name)}
}

func (s side) file(name string) string { return filepath.Join(s.dir, name) }

// run runs the cell.
func (c *cell) run(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("not done after %v", c.timeout))
	defer cancel()
	server, client := c.side("server", c.server), c.side("client", c.client)
	err := c.play(ctx, &server, &client)
	_ = errors.Join(keep(&server), keep(&client)) // what they said; the verdict does not hang on it
	var u *unsupportedError
	switch {
	case errors.As(err, &u):
		return outcome{unsupported, u.Error(), c.dir}
	case err != nil && c.lacking() != "":
		return outcome{unsupported, c.lacking(), c.dir}
	case err != nil:
		why := err.Error()
		if known := c.server.faults[c.label()]; known != "" {
			why += " (" + known + ")"
		}
		return outcome{failed, why, c.dir}
	}
	return outcome{passed, "", c.dir}
}

// lacking returns what one of both lacks for the case, "" for nothing.
func (c *cell) lacking() string {
	for _, p := range []*peer{c.server, c.client} {
		if why := p.lacks[c.label()]; why != "" {
			return p.name + ": " + why
		}
	}
	return ""
}

// keep writes down what a process said.
func keep(s *side) error {
	if s.process == nil {
		return nil
	}
	s.output.mu.Lock()
	defer s.output.mu.Unlock()
	return os.WriteFile(s.file("output.txt"), s.output.text, 0o644)
}

// unsupportedError is that a side does not know the case.
type unsupportedError struct{ who, word string }

func (e *unsupportedError) Error() string { return e.who + ": " + e.word }

// play starts both sides, waits for the client, and judges.
func (c *cell) play(ctx context.Context, server, client *side) error {
	files, err := c.prepare(server, client)
	if err != nil {
		return err
	}
	ip := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if c.ipv6 {
		ip = netip.IPv6Loopback()
	}
	addr, err := freePort(ip)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	env := c.environment(server, c.serverCase(), c.serverRequests(files))
	env["ADDRESS"] = addr.String()
	if server.process, err = start(serving, server.peer.command, env); err != nil {
		return err
	}
	if err := server.awaitListening(ctx, addr.Port()); err != nil {
		return server.fault(err)
	}
	scenario := c.network
	scenario.Seed = c.seed
	net, err := network.New(addr, scenario)
	if err != nil {
		return err
	}
	env = c.environment(client, c.clientCase(), c.clientRequests(files, net.Addr()))
	client.process, err = start(ctx, client.peer.command, env)
	if err == nil {
		<-client.ended
		err = client.fault(context.Cause(ctx))
		if err != nil && c.serverAsks && client.status() == 0 {
			err = nil
		}
	}
	log := net.Close()
	stop()
	<-server.ended
	if err != nil {
		return err
	}
	return c.judge(server, client, files, log, scenario)
}

// fault returns what is wrong with a side, nil if it has ended well; otherwise is why it is
// asked.
func (s *side) fault(otherwise error) error {
	select {
	case <-s.ended:
	default:
		return fmt.Errorf("the %s: %w", s.name, otherwise)
	}
	switch status := s.status(); {
	case status == statusUnsupported:
		return &unsupportedError{s.peer.name + " as a " + s.name, s.output.lastLine()}
	case otherwise != nil && status != 0:
		return fmt.Errorf("the %s: %w: %s", s.name, otherwise, s.output.lastLine())
	case status != 0:
		return fmt.Errorf("the %s ended with status %d: %s", s.name, status, s.output.lastLine())
	}
	return otherwise
}

// environment returns what a side is told.
func (c *cell) environment(s *side, testcase, requests string) map[string]string {
	env := map[string]string{
		"ROLE": s.name, "TESTCASE": testcase, "REQUESTS": requests,
		"WWW": s.file("www"), "DOWNLOADS": s.file("downloads"), "CERTS": filepath.Join(c.dir, "certs"),
		"SSLKEYLOGFILE": s.file("keys.log"),
	}
	if c.qlog {
		env["QLOGDIR"] = s.file("qlog")
	}
	if c.webTransport {
		env["PROTOCOLS"] = protocolsOf(s.name)
	}
	return env
}

// The subprotocols of WebTransport's cases: both sides have two in common, in different
// orders, and the client's counts.
const wantedProtocol = "dunlin"

func protocolsOf(side string) string {
	if side == "client" {
		return "curlew dunlin avocet knot"
	}
	return "ruff knot dunlin sanderling"
}

// folder is the path of WebTransport's session.
const folder = "estuary"

// prepare makes directories, certificates and files, and returns the files' names.
func (c *cell) prepare(server, client *side) (files []string, err error) {
	if err := os.RemoveAll(c.dir); err != nil {
		return nil, err
	}
	certs := filepath.Join(c.dir, "certs")
	source := server
	if c.serverAsks {
		source = client
	}
	dirs := []string{certs}
	for _, s := range []*side{server, client} {
		dirs = append(dirs, s.file("downloads"), s.file("qlog"), filepath.Join(s.file("www"), c.folder()))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := makeCertificates(certs, max(c.chain, 1)); err != nil {
		return nil, err
	}
	random := rand.NewChaCha8([32]byte{byte(c.seed)})
	for i, size := range c.files {
		content := make([]byte, size)
		_, _ = random.Read(content) // it never fails
		name := fmt.Sprintf("file-%d-of-%d", i, size)
		if c.nameLen > 0 {
			name += strings.Repeat("x", c.nameLen-len(name))
		}
		if err := os.WriteFile(filepath.Join(source.file("www"), c.folder(), name), content, 0o644); err != nil {
			return nil, err
		}
		files = append(files, name)
	}
	return files, nil
}

// folder returns where files are below www and downloads.
func (c *cell) folder() string {
	if c.webTransport {
		return folder
	}
	return ""
}

func (c *cell) clientRequests(files []string, server netip.AddrPort) string {
	base := "https://" + server.String() + "/"
	if c.webTransport {
		if base += folder; c.serverAsks || len(files) == 0 {
			return base
		}
		base += "/"
	}
	return base + strings.Join(files, " "+base)
}

func (c *cell) serverRequests(files []string) string {
	if !c.serverAsks {
		return ""
	}
	return folder + "/" + strings.Join(files, " "+folder+"/")
}

// judge looks at what has arrived, and at what came over the network.
func (c *cell) judge(server, client *side, files []string, log []network.Datagram, scenario network.Scenario) error {
	from, to := server, client
	if c.serverAsks {
		from, to = client, server
	}
	for _, name := range files {
		name = filepath.Join(c.folder(), name)
		want, err := os.ReadFile(filepath.Join(from.file("www"), name))
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(to.file("downloads"), name))
		if err != nil {
			return fmt.Errorf("%s has not arrived", name)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s has arrived with %d bytes, or others than its %d", name, len(got), len(want))
		}
	}
	if c.webTransport && len(files) == 0 {
		for _, s := range []*side{server, client} {
			if got, err := os.ReadFile(filepath.Join(s.file("downloads"), contract.NegotiatedProtocol)); err != nil || string(bytes.TrimSpace(got)) != wantedProtocol {
				return fmt.Errorf("the %s has the subprotocol %q, want %q", s.name, got, wantedProtocol)
			}
		}
	}
	keys := slices.Concat(readAll(server.file("keys.log")), readAll(client.file("keys.log")))
	return c.check(&evidence{Trace: trace.Read(log, keys), log: log, network: scenario, ours: c.server.name == ours})
}

// readAll returns what is in a file, if there is one.
func readAll(name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, _ := io.ReadAll(f) // what can be read of it
	return append(b, '\n')
}
