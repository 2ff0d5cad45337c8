package main

import (
	"context"
	"fmt"
	"strconv"
)

// datagramPeers are those that have datagrams (RFC 9221).
var datagramPeers = []peer{
	{name: "Godwit", family: "godwit", proto: "perf", argv: perfd("godwit")},
	{name: "quic-go", family: "quic-go", proto: "perf", argv: perfd("quic-go")},
	{name: "quinn", family: "quinn", proto: "perf", argv: rustServer("quinn-perf")},
	{name: "quiche", family: "quiche", proto: "perf", argv: rustServer("quiche-perf")},
}

var datagramWorkloads = []*workload{datagrams(64), datagrams(1100).rarely()}

// datagramsFlying is how many are on their way at any time: fewer than the
// queues of all implementations hold.
const datagramsFlying = 100

func datagrams(size int) *workload {
	return &workload{
		id:    fmt.Sprintf("datagrams-%d", size),
		group: "datagrams",
		title: fmt.Sprintf("Datagrams of %d bytes echoed, 1 connection", size),
		about: fmt.Sprintf("%d are on their way at any time; when nothing comes back for 20 ms they count as lost.", datagramsFlying),
		columns: []column{
			{title: "echoes/s"}, {title: "server CPU, µs each", lower: true, versus: true},
			{title: "client CPU, µs each", lower: true}, {title: "median, µs", lower: true}, {title: "99 %, µs", lower: true},
		},
		peers: datagramPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			r, err := b.load(ctx, p, 0, "-conns", "1", "-streams", strconv.Itoa(datagramsFlying),
				"-size", strconv.Itoa(size), "-duration", b.duration().String(), "datagrams")
			if err != nil {
				return nil, err
			}
			return []float64{r.Requests / r.Seconds, perRequest(r.ServerCPU, r), perRequest(r.ClientCPU, r), r.P50, r.P99}, nil
		},
	}
}
