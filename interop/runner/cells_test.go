package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// play runs cells in their quick form, and reports those that failed.
func play(t *testing.T, s settings) *matrix {
	t.Helper()
	s.quick, s.jobs, s.seed, s.out = true, 4, 1, t.TempDir()
	m, err := s.matrix(t.Context(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	for name, why := range m.missing {
		t.Errorf("%s: %s", name, why)
	}
	for name, o := range m.cells {
		if o.verdict != failed {
			continue
		}
		t.Errorf("%v: %s", name, o.why)
		for _, side := range []string{"server", "client"} {
			said, _ := os.ReadFile(o.dir + "/" + side + "/output.txt") // there may be none
			t.Logf("the %s said: %s", side, said)
		}
	}
	return m
}

// TestGodwitWithItself runs all cases, of which both sides know each.
func TestGodwitWithItself(t *testing.T) {
	m := play(t, settings{servers: []string{ours}, clients: []string{ours}})
	if n := m.count(passed); n != len(allCases(true)) {
		t.Errorf("%d cells passed of %d", n, len(allCases(true)))
	}
}

// TestQuicGo runs cases in which sides depend on each other more than in a transfer, with
// quic-go; `make interop` runs all, with all.
func TestQuicGo(t *testing.T) {
	cases := []string{"retry", "resumption", "zerortt", "keyupdate", "chacha20", "http3", "ecn", "amplificationlimit", "rebind-addr"}
	for _, roles := range [][2]string{{ours, "quic-go"}, {"quic-go", ours}} {
		m := play(t, settings{servers: roles[:1], clients: roles[1:], cases: cases})
		if n := m.count(passed); n != len(cases) {
			t.Errorf("%d cells passed of %d", n, len(cases))
		}
	}
}

// TestChecks has each case's check look at an ordinary handshake, in which nothing of what it
// wants has happened.
func TestChecks(t *testing.T) {
	var seen *evidence
	var ordinary *testCase
	cases := allCases(true)
	for _, c := range cases {
		if c.name == "handshake" && !c.webTransport {
			ordinary = c
		}
	}
	watched := *ordinary
	watched.check = func(e *evidence) error { seen = e; return ordinary.check(e) }
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	p := allPeers(root)[0]
	if p.command, err = p.make(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	c := &cell{testCase: &watched, server: p, client: p, dir: t.TempDir(), seed: 1}
	if o := c.run(t.Context()); o.verdict != passed {
		t.Fatalf("the handshake %v: %s", o.verdict, o.why)
	}
	// These want one connection, and files, as it was.
	same := []string{"handshake", "transfer", "multiplexing", "http3", "transferloss", "transfercorruption", "ipv6", "ecn"}
	for _, c := range cases {
		seen.network = c.network
		if err := c.check(seen); (err == nil) != (slices.Contains(same, c.name) || c.webTransport) {
			t.Errorf("%s: the check of an ordinary handshake says %v", c.label(), err)
		}
	}
	for i := range seen.Packets {
		seen.Packets[i].ECN = 0
	}
	if err := checkECN(seen); err == nil {
		t.Error("no ECN is seen, and its check says nothing")
	}
	seen.Connections[0].StreamLimit = nil
	if err := checkMultiplexing(seen); err == nil {
		t.Error("the stream limit is unknown, and its check says nothing")
	}
}

func TestUnsupported(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	p := allPeers(root)[0]
	if p.command, err = p.make(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	known := allCases(true)[0]
	unknown := *known
	unknown.name = "pigeon"
	for _, c := range []*cell{
		{testCase: &unknown, server: p, client: p, dir: t.TempDir()},
		{testCase: &testCase{name: "pigeon", server: known.name, files: known.files, network: known.network, timeout: known.timeout}, server: p, client: p, dir: t.TempDir()},
	} {
		o := c.run(t.Context())
		if o.verdict != unsupported || !strings.Contains(o.why, "unsupported test case") {
			t.Errorf("the verdict is %v, %s", o.verdict, o.why)
		}
	}
}

func TestMarkdown(t *testing.T) {
	m := &matrix{cases: allCases(false)[:2], peers: []*peer{{name: ours}, {name: "other", version: "1"}}, cells: map[cellName]outcome{
		{ours, "other", "handshake"}: {verdict: passed},
		{ours, "other", "transfer"}:  {verdict: failed, why: "it\nhangs"},
		{"other", ours, "transfer"}:  {verdict: unsupported, why: "other as a server: no"},
	}}
	page := m.markdown()
	for _, want := range []string{
		"1 cells passed, 1 failed, 1 are unsupported", "| handshake | passed |", "| transfer | **failed** |", "| transfer | unsupported |",
		"- failed, other to godwit: it hangs (transfer)", "- unsupported, other as a server: no (transfer)", "| other 1 |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if names := slices.Sorted(maps.Keys(m.missing)); len(names) != 0 {
		t.Errorf("missing are %v", names)
	}
}
