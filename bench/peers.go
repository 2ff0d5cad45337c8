package main

import "slices"

// peer is an implementation in one of the ways it can serve.
type peer struct {
	name   string // in tables
	family string // for -peers
	proto  string // that clients speak: h3, h2, http/1.1 or perf
	prefix string // of the paths
	argv   func(p *programs) []string
}

// The servers of the QUIC performance protocol.
var perfPeers = []peer{
	{name: "Godwit", family: "godwit", proto: "perf", argv: func(p *programs) []string {
		return []string{p.bin("godwit"), "perf", "serve", "--listen", "127.0.0.1:0", "--window", "16MiB", "--cert", p.cert, "--key", p.key}
	}},
	{name: "quic-go", family: "quic-go", proto: "perf", argv: perfd("quic-go")},
	{name: "x/net/quic", family: "x-net", proto: "perf", argv: perfd("x-net")},
	{name: "quinn", family: "quinn", proto: "perf", argv: rustServer("quinn-perf")},
	{name: "quiche", family: "quiche", proto: "perf", argv: rustServer("quiche-perf")},
}

var godwitBlocking = peer{name: "Godwit, blocking calls", family: "godwit", proto: "perf", argv: perfd("godwit-blocking")}

// The servers of HTTP.
var (
	godwitHTTP   = peer{name: "Godwit, HTTP/3", family: "godwit", proto: "h3", argv: httpd("godwit")}
	godwitFixed  = peer{name: "Godwit, HTTP/3, fixed response", family: "godwit", proto: "h3", prefix: "/fixed", argv: httpd("godwit")}
	quicGoHTTP   = peer{name: "quic-go, HTTP/3", family: "quic-go", proto: "h3", argv: httpd("quic-go")}
	bunHandler   = peer{name: "Bun, HTTP/3, JavaScript handler", family: "bun", proto: "h3", prefix: "/js", argv: bunServer}
	bunStatic    = peer{name: "Bun, HTTP/3, static response", family: "bun", proto: "h3", argv: bunServer}
	netHTTP2     = peer{name: "net/http, HTTP/2, TLS, TCP", family: "net-http", proto: "h2", argv: httpd("net-http")}
	netHTTP1     = peer{name: "net/http, HTTP/1.1, TLS, TCP", family: "net-http", proto: "http/1.1", argv: httpd("net-http")}
	requestPeers = []peer{godwitHTTP, godwitFixed, quicGoHTTP, bunHandler, bunStatic, netHTTP2, netHTTP1}
	// connPeers are for what does not depend on how responses are made.
	connPeers = []peer{godwitHTTP, quicGoHTTP, bunStatic.called("Bun, HTTP/3"), netHTTP2}
	bulkPeers = append(slices.Clone(connPeers), netHTTP1)
)

// called returns the same peer with another name.
func (p peer) called(name string) peer {
	p.name = name
	return p
}

func perfd(stack string) func(*programs) []string {
	return func(p *programs) []string {
		return []string{p.bin("perfd"), "-stack", stack, "-cert", p.cert, "-key", p.key}
	}
}

func httpd(stack string) func(*programs) []string {
	return func(p *programs) []string {
		return []string{p.bin("httpd"), "-stack", stack, "-cert", p.cert, "-key", p.key}
	}
}

func rustServer(name string) func(*programs) []string {
	return func(p *programs) []string {
		return []string{p.rust(name), "--listen", "127.0.0.1:0", "--cert", p.cert, "--key", p.key}
	}
}

func bunServer(p *programs) []string { return []string{p.bun, "bun/http3.mjs", p.cert, p.key} }

// families returns the names for -peers.
func families() []string {
	var names []string
	for _, p := range slices.Concat(perfPeers, requestPeers, jsBulk) {
		if !slices.Contains(names, p.family) {
			names = append(names, p.family)
		}
	}
	return names
}

func (s *settings) wantsPeer(family string) bool {
	return len(s.peers) == 0 || slices.Contains(s.peers, family)
}

func (s *settings) wantsWorkload(group string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, group)
}
