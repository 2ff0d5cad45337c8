package main

import (
	"fmt"
	"slices"
)

// goal is something that Godwit is to reach.
type goal struct {
	text string
	// value is what is measured, false if it was not.
	value func(results) (float64, bool)
	// limit must be reached by value, or not be exceeded if it is a ceiling.
	limit   float64
	ceiling bool
}

// results are all that was measured.
type results []*result

// median returns the median of a column of a peer in a workload.
func (rs results) median(id, peer string, col int) (float64, bool) {
	i := slices.IndexFunc(rs, func(r *result) bool { return r.workload.id == id })
	if i < 0 {
		return 0, false
	}
	j := slices.IndexFunc(rs[i].rows, func(row *row) bool { return row.peer.name == peer })
	if j < 0 {
		return 0, false
	}
	s, ok := rs[i].rows[j].spreadOf(col)
	return s.Median, ok
}

// own returns a value of Godwit's.
func own(id, peer string, col int) func(results) (float64, bool) {
	return func(rs results) (float64, bool) { return rs.median(id, peer, col) }
}

// times returns how many times the largest value of others Godwit's is.
func times(id, peer string, col int, others ...string) func(results) (float64, bool) {
	return func(rs results) (float64, bool) {
		best := 0.0
		for _, other := range others {
			v, _ := rs.median(id, other, col)
			best = max(best, v)
		}
		v, ok := rs.median(id, peer, col)
		if !ok || best == 0 {
			return 0, false
		}
		return v / best, true
	}
}

const (
	godwitQUIC = "Godwit"
	godwitH3   = "Godwit, HTTP/3"
)

// goals are those of the project.
var goals = []goal{
	{"Bulk: goodput, × quic-go's", times("bulk", godwitQUIC, 0, "quic-go"), 2, false},
	{"Bulk: goodput, × the better of quinn's and quiche's", times("bulk", godwitQUIC, 0, "quinn", "quiche"), 1.3, false},
	{"Bulk over HTTP: goodput, × Bun's", times("bulk-http", godwitH3, 0, "Bun, HTTP/3"), 1.3, false},
	{"Bulk over HTTP: goodput, × that of net/http's HTTP/2", times("bulk-http", godwitH3, 0, netHTTP2.name), 1, false},
	{"Bulk: goodput, × the floor's", times("bulk", godwitQUIC, 0, floorPeer.name), 0.6, false},
	{"Bulk: server CPU, s/GiB", own("bulk", godwitQUIC, 1), 1.4, true},
	{"Small requests, 10 × 32: requests/s, × quic-go's", times("requests-10x32-5", godwitH3, 0, quicGoHTTP.name), 4, false},
	{"Small requests, 10 × 32, fixed response: server CPU, × that of Bun's static response", times("requests-10x32-5", godwitFixed.name, 1, bunStatic.name), 1, true},
	{"Small requests, 10 × 32: server CPU, × that of Bun's handler", times("requests-10x32-5", godwitH3, 1, bunHandler.name), 1, true},
	{"Small requests, 10 × 32: server CPU, × that of quic-go", times("requests-10x32-5", godwitH3, 1, quicGoHTTP.name), 1.0 / 3, true},
	{"Idle connection: memory, KiB", own("idle", godwitH3, 0), 12, true},
	{"10,000 idle connections: CPU, % of a core", own("idle", godwitH3, 1), 0.5, true},
	{"Full handshake and a request: server CPU, ms", own("handshakes-full", godwitH3, 1), 0.5, true},
	{"Resumed handshake and a request: server CPU, ms", own("handshakes-resumed", godwitH3, 1), 0.25, true},
	{"JavaScript in Bun: requests/s, handler, × that of Bun.serve", times("js-requests-10x32-5", "Godwit in Bun, JavaScript handler", 0, bunHandler.name), 1, false},
	{"JavaScript in Bun: requests/s, static response, × that of Bun.serve", times("js-requests-10x32-5", "Godwit in Bun, static response", 0, bunStatic.name), 1, false},
	{"JavaScript in Node: requests/s, handler, × that of Bun.serve", times("js-requests-10x32-5", "Godwit in Node, JavaScript handler", 0, bunHandler.name), 1, false},
	{"JavaScript in Bun: datagrams of a session echoed/s", own("js-webtransport-datagrams-100", "Godwit in Bun", 0), 300_000, false},
	{"JavaScript in Bun: streams of a session/s", own("js-webtransport-streams-50", "Godwit in Bun", 0), 100_000, false},
	{"JavaScript in Bun: echo on 50 streams, × that of node:quic", times("js-perf-echo-50", "Godwit in Bun", 0, "Bun's node:quic"), 1.5, false},
	{"JavaScript in Bun: a lonely echo, median, µs", own("js-perf-echo-1", "Godwit in Bun", 3), 60, true},
	{"JavaScript in Bun: bulk, Gbit/s", own("js-bulk", "Godwit in Bun", 0), 5, false},
	{"JavaScript in Node: bulk, Gbit/s", own("js-bulk", "Godwit in Node", 0), 5, false},
	{"Burst: connections completed", own("burst", godwitH3, 0), burstConns, false},
}

// goalTable returns what was reached as cells, the header first; nil if nothing
// that has a goal was measured.
func goalTable(rs results) [][]string {
	cells := [][]string{{"goal", "wanted", "measured", "reached"}}
	for _, g := range goals {
		v, ok := g.value(rs)
		if !ok {
			continue
		}
		relation, reached := "at least", v >= g.limit
		if g.ceiling {
			relation, reached = "at most", v <= g.limit
		}
		answer := "no"
		if reached {
			answer = "yes"
		}
		cells = append(cells, []string{g.text, fmt.Sprintf("%s %s", relation, format(g.limit)), format(v), answer})
	}
	if len(cells) == 1 {
		return nil
	}
	return cells
}
