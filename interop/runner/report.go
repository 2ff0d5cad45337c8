package main

import (
	"fmt"
	"slices"
	"strings"
)

// introduction is what docs/interop.md begins with.
const introduction = `# Interoperability

` + "`make interop`" + ` runs the cases of the [QUIC Interop Runner](https://github.com/quic-interop/quic-interop-runner),
QUIC's and WebTransport's, between Godwit and other implementations, both as a client and as a server, and
writes this page. There are no containers: servers and clients are processes, and between them is a network in
user space (` + "`interop/runner/network`" + `) with the delays, rates, losses, changed bytes, dead times and moves of the runner's
own scenarios. A case is passed when the files have arrived whole, and what came over the network shows, opened
with the keys that the endpoints log, that it happened: a Retry packet and its token, 0-RTT packets, packets of
version 2, the other key phase on both sides, ECN marked and acknowledged, no more than three times what had come,
a PATH_CHALLENGE at each new address.

One cell again, with qlog of both sides and all that they said, below ` + "`out/interop`" + `:

    cd interop && go run ./runner -server quinn -client godwit -case retry -qlog

Godwit's endpoint is ` + "`interop/endpoint`" + `: it follows the runner's contract (ROLE, TESTCASE, REQUESTS, /www, /downloads,
/certs, SSLKEYLOGFILE, QLOGDIR, and status 127 for what it does not know). The others' are small programs over their
libraries, in ` + "`interop/peers`" + `, and what is "unsupported" has their reason below.
`

// markdown returns the page.
func (m *matrix) markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	form := ""
	if m.quick {
		form = "With -quick, smaller files and fewer connections: "
	}
	fmt.Fprintf(&b, "\n%s%d cells passed, %d failed, %d are unsupported by the other side.\n", form, m.count(passed), m.count(failed), m.count(unsupported))
	m.table(&b, "Clients, with Godwit as the server", func(p *peer, c *testCase) cellName { return cellName{ours, p.name, c.label()} })
	m.table(&b, "Servers, with Godwit as the client", func(p *peer, c *testCase) cellName { return cellName{p.name, ours, c.label()} })
	m.reasons(&b)
	b.WriteString("\n## Cases\n\n| case | shows | network |\n| --- | --- | --- |\n")
	for _, c := range m.cases {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.label(), c.about, c.network)
	}
	return b.String()
}

// table writes the verdicts of one role.
func (m *matrix) table(b *strings.Builder, title string, name func(*peer, *testCase) cellName) {
	var peers []*peer
	for _, p := range m.peers {
		if slices.ContainsFunc(m.cases, func(c *testCase) bool { _, ok := m.cells[name(p, c)]; return ok }) {
			peers = append(peers, p)
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n| case |", title)
	for _, p := range peers {
		fmt.Fprintf(b, " %s |", strings.TrimSpace(p.name+" "+p.version))
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(peers)) + "\n")
	for _, c := range m.cases {
		fmt.Fprintf(b, "| %s |", c.label())
		for _, p := range peers {
			o, ok := m.cells[name(p, c)]
			switch {
			case !ok:
				b.WriteString(" |")
			case o.verdict == failed:
				b.WriteString(" **failed** |")
			default:
				fmt.Fprintf(b, " %s |", o.verdict)
			}
		}
		b.WriteString("\n")
	}
}

// reasons writes why cells did not pass.
func (m *matrix) reasons(b *strings.Builder) {
	cases := make(map[string][]string) // by verdict, who and why
	for n, o := range m.cells {
		if o.verdict == passed {
			continue
		}
		key := fmt.Sprintf("%s, %s", o.verdict, o.why)
		if o.verdict == failed {
			key = fmt.Sprintf("failed, %s to %s: %s", n.client, n.server, o.why)
		}
		cases[key] = append(cases[key], n.test)
	}
	var lines []string
	for key, tests := range cases {
		slices.Sort(tests)
		lines = append(lines, fmt.Sprintf("- %s (%s)\n", strings.ReplaceAll(key, "\n", " "), strings.Join(slices.Compact(tests), ", ")))
	}
	for name, why := range m.missing {
		lines = append(lines, fmt.Sprintf("- missing: %s, %s\n", name, strings.ReplaceAll(why, "\n", " ")))
	}
	slices.Sort(lines)
	b.WriteString("\n## Why not\n\n" + strings.Join(lines, ""))
}
