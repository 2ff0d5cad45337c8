package main

import (
	"context"
	"time"
)

// roundTrip and loss are of the network that the relay plays.
const (
	oneWay = 25 * time.Millisecond
	loss   = "0.01"
)

var lossWorkloads = []*workload{{
	id:      "loss",
	group:   "loss",
	title:   "Bulk over QUIC with 1 % loss and 50 ms",
	about:   "As the first workload, through a relay that delays by 25 ms and loses 1 % in each direction. It shows congestion control, not speed.",
	columns: []column{{title: "Mbit/s"}},
	peers:   perfPeers,
	measure: measureLoss,
	once:    true,
}}

func measureLoss(ctx context.Context, b *bench, p peer) ([]float64, error) {
	srv, err := b.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	relay, err := start(ctx, []string{b.bin("relay"), "-to", srv.addr, "-delay", oneWay.String(), "-loss", loss})
	if err != nil {
		return nil, err
	}
	defer relay.stop()
	duration := 10 * time.Second
	if b.quick {
		duration = 5 * time.Second
	}
	r, err := perfRun(ctx, b, relay.addr, 1, "--duration", duration.String())
	if err != nil {
		return nil, err
	}
	return []float64{r.Gbps * 1000}, nil
}
