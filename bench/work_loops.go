package main

import (
	"context"
	"strconv"
)

// loopPeers are Godwit with so many event loops.
var loopPeers = []peer{withLoops(1), withLoops(2)}

func withLoops(n int) peer {
	p := godwitHTTP
	p.name = "Godwit, HTTP/3, 1 loop"
	if n > 1 {
		p.name = "Godwit, HTTP/3, " + strconv.Itoa(n) + " loops"
	}
	p.argv = func(p *programs) []string { return append(httpd("godwit")(p), "-loops", strconv.Itoa(n)) }
	return p
}

var loopWorkloads = []*workload{
	{
		id: "loops-requests", group: "loops", title: "One event loop and two: requests, 100 × 10, responses of 5 bytes",
		about:   "The client, which has one loop, shares the machine's cores.",
		columns: requestColumns,
		peers:   loopPeers,
		measure: requests(100, 10, small).measure,
	},
	{
		id: "loops-bulk", group: "loops", title: "One event loop and two: bulk over HTTP, 8 connections",
		about:   "Responses of 64 MiB, one after the other on each connection.",
		columns: []column{gbps, serverPerGiB, clientPerGiB},
		peers:   loopPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			r, err := b.load(ctx, p, 0, "-path", "/bulk", "-size", strconv.Itoa(64<<20), "-conns", "8",
				"-duration", b.duration().String(), "requests")
			return bulkValues(r), err
		},
	},
}
