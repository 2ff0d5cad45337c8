package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
)

var requestColumns = []column{
	{title: "requests/s"},
	{title: "server CPU, µs/request", lower: true, versus: true},
	{title: "client CPU, µs/request", lower: true},
}

// requestsChart are the columns that the chart shows of one workload.
var requestsChart = map[string]string{
	requestColumns[0].title: "Small requests, 10 × 32, 1/s",
	requestColumns[1].title: "Small requests, 10 × 32, server CPU, µs",
}

var requestWorkloads = []*workload{
	requests(1, 100, small).rarely(),
	requests(10, 32, small).charted(requestsChart),
	requests(100, 10, small).rarely(),
	requests(10, 32, medium).rarely(),
}

// response is what is requested.
type response struct {
	path string
	size int // bytes
	name string
}

var (
	small  = response{"/small", 5, "5 bytes"}
	medium = response{"/10k", 10 << 10, "10 KiB"}
)

// requests returns a workload that keeps so many requests running.
func requests(conns, streams int, r response) *workload {
	return &workload{
		id:      fmt.Sprintf("requests-%dx%d-%d", conns, streams, r.size),
		group:   "requests",
		title:   fmt.Sprintf("Requests, %d × %d, responses of %s", conns, streams, r.name),
		about:   fmt.Sprintf("Connections × requests at a time on each; HTTP/1.1 has %d connections instead.", conns*streams),
		columns: requestColumns,
		peers:   requestPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			res, err := b.load(ctx, p, 0, "-conns", strconv.Itoa(conns), "-streams", strconv.Itoa(streams),
				"-path", p.prefix+r.path, "-size", strconv.Itoa(r.size), "-duration", b.duration().String(), "requests")
			if err != nil {
				return nil, err
			}
			return []float64{res.Requests / res.Seconds, perRequest(res.ServerCPU, res), perRequest(res.ClientCPU, res)}, nil
		},
	}
}

// perRequest returns CPU seconds as microseconds for each request.
func perRequest(seconds float64, r *report.Result) float64 { return seconds * 1e6 / r.Requests }

var latencyWorkloads = []*workload{{
	id:      "latency",
	once:    true,
	group:   "latency",
	title:   "Latency at half of the peak load, 10 × 32, responses of 5 bytes",
	about:   "Each server gets half of the requests that it has just answered at most, evenly spaced, whether or not it keeps up.",
	columns: []column{{title: "requests/s"}, {title: "median, µs", lower: true}, {title: "99 %, µs", lower: true, versus: true}},
	peers:   requestPeers,
	measure: measureLatency,
}}

func measureLatency(ctx context.Context, b *bench, p peer) ([]float64, error) {
	srv, err := b.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	args := []string{"-conns", "10", "-streams", "32", "-path", p.prefix + small.path}
	peak, err := b.loadServer(ctx, srv, p, 0, append(args, "-duration", time.Second.String(), "requests")...)
	if err != nil {
		return nil, err
	}
	rate := peak.Requests / peak.Seconds / 2
	r, err := b.loadServer(ctx, srv, p, 0, append(args, "-duration", b.duration().String(),
		"-rate", strconv.FormatFloat(rate, 'f', 0, 64), "rate")...)
	if err != nil {
		return nil, err
	}
	return []float64{r.Requests / r.Seconds, r.P50, r.P99}, nil
}
