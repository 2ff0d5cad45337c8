package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// The servers in JavaScript: the package, and what Bun has of its own.
var (
	jsHandlers = inRuntimes(", JavaScript handler", "h3", "/js", "serve")
	jsStatics  = inRuntimes(", static response", "h3", "", "serve")
	jsSessions = inRuntimes("", "webtransport", "", "serve")
	jsEchoes   = append(inRuntimes("", "perf", "", "echo"), peer{name: "Bun's node:quic", family: "bun", proto: "perf", argv: bunQUIC})
	jsBulk     = inRuntimes("", "perf", "", "perf")
)

var jsWorkloads = []*workload{
	jsRequests(small),
	jsRequests(medium).rarely(),
	jsEcho("datagrams", 100, jsSessions, "JavaScript: datagrams of 64 bytes echoed in a session of WebTransport",
		"100 are on their way at any time."),
	jsEcho("streams", 50, jsSessions, "JavaScript: streams of a session, 64 bytes echoed on each",
		"50 at a time; the client opens and finishes them, the handler sends back what comes and finishes them."),
	jsEcho("echo", 50, jsEchoes, "JavaScript: echo of 64 bytes on 50 streams of QUIC",
		"On each stream a message follows the echo of the last."),
	jsEcho("streams", 50, jsEchoes, "JavaScript: streams of QUIC, 64 bytes echoed on each", "50 at a time.").rarely(),
	jsEcho("echo", 1, jsEchoes, "JavaScript: a lonely echo of 64 bytes on one stream of QUIC",
		"Nothing else is on its way: the time is that of being woken, at the server from the socket to JavaScript and back."),
	{
		id: "js-bulk", group: "javascript", title: "JavaScript: bulk over QUIC, 1 connection, 1 stream",
		about:   "Godwit's client downloads with the QUIC performance protocol what a handler writes.",
		columns: []column{gbps, serverPerGiB, clientPerGiB},
		peers:   jsBulk,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) { return measureBulk(ctx, b, p, 1) },
	},
}

func jsRequests(r response) *workload {
	w := requests(10, 32, r)
	w.id, w.group, w.title = "js-"+w.id, "javascript", "JavaScript: "+w.title
	w.peers = slices.Concat(jsHandlers, []peer{bunHandler}, jsStatics, []peer{bunStatic})
	return w
}

// jsEcho returns a workload of one of the load client's modes.
func jsEcho(mode string, n int, peers []peer, title, about string) *workload {
	return &workload{
		id: fmt.Sprintf("js-%s-%s-%d", peers[0].proto, mode, n), group: "javascript", title: title, about: about,
		columns: []column{
			{title: "echoes/s"}, {title: "server CPU, µs each", lower: true, versus: true},
			{title: "client CPU, µs each", lower: true}, {title: "median, µs", lower: true}, {title: "99 %, µs", lower: true},
		},
		peers: peers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			r, err := b.load(ctx, p, 0, "-conns", "1", "-streams", strconv.Itoa(n), "-size", "64", "-duration", b.duration().String(), mode)
			if err != nil {
				return nil, err
			}
			return []float64{r.Requests / r.Seconds, perRequest(r.ServerCPU, r), perRequest(r.ClientCPU, r), r.P50, r.P99}, nil
		},
	}
}
