package main

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
)

// floorPeer is no implementation: it is what none can beat.
var floorPeer = peer{
	name: "floor: seal, send, receive and open, no QUIC", family: "floor",
	argv: func(p *programs) []string { return []string{p.bin("floor"), "serve"} },
}

var bulkWorkloads = []*workload{
	{
		id: "bulk", group: "bulk", title: "Bulk over QUIC, 1 connection, 1 stream",
		about: "Godwit's client downloads with the QUIC performance protocol. It and `godwit perf serve` are event-driven; " +
			"with blocking calls Godwit's server has a goroutine for each stream, as the other servers in Go have.",
		columns: []column{gbps, serverPerGiB, clientPerGiB},
		peers:   slices.Concat([]peer{floorPeer, perfPeers[0], godwitBlocking}, perfPeers[1:]),
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			if p.family == floorPeer.family {
				return measureFloor(ctx, b, p)
			}
			return measureBulk(ctx, b, p, 1)
		},
		chart: map[string]string{gbps.title: "Bulk, Gbit/s", serverPerGiB.title: "Bulk, server CPU, s/GiB"},
	},
	{
		id: "bulk-8", group: "bulk", title: "Bulk over QUIC, 8 connections, 1 stream each",
		about:   "As above; each connection has a socket and an event loop of its own at the client.",
		columns: []column{gbps, serverPerGiB, clientPerGiB},
		peers:   perfPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) { return measureBulk(ctx, b, p, 8) },
		once:    true,
	},
	{
		id: "bulk-http", group: "bulk", title: "Bulk over HTTP, 1 connection, 1 stream",
		about:   "Responses of 64 MiB, one after the other.",
		columns: []column{gbps, serverPerGiB, clientPerGiB},
		peers:   bulkPeers,
		measure: measureHTTPBulk,
	},
}

// perfResult is what godwit perf run prints.
type perfResult struct {
	Gbps   float64 `json:"gbps"`
	CPU    float64 `json:"cpu_s"`
	Bytes  float64 `json:"bytes"`
	Window float64 `json:"seconds"`
}

const gib = 1 << 30

// perfRun downloads n bytes on each of some connections.
func perfRun(ctx context.Context, b *bench, addr string, conns int, args ...string) (*perfResult, error) {
	var r perfResult
	err := measure(ctx, b.limit(), &r, append([]string{
		b.bin("godwit"), "perf", "run", addr, "--json", "--window", "16MiB", "--conns", strconv.Itoa(conns),
	}, args...)...)
	return &r, err
}

// measureBulk downloads as much as takes about the time that a measurement
// should, judging by a first download that is not counted.
func measureBulk(ctx context.Context, b *bench, p peer, conns int) ([]float64, error) {
	srv, err := b.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	const first = 64 << 20
	r, err := perfRun(ctx, b, srv.addr, conns, "--download", strconv.Itoa(first/conns))
	if err != nil {
		return nil, err
	}
	n := r.Gbps * 1e9 / 8 * b.duration().Seconds()
	before, err := cpu.Time(srv.pid())
	if err != nil {
		return nil, err
	}
	if r, err = perfRun(ctx, b, srv.addr, conns, "--download", strconv.Itoa(int(n)/conns)); err != nil {
		return nil, err
	}
	after, err := cpu.Time(srv.pid())
	if err != nil {
		return nil, err
	}
	return []float64{r.Gbps, (after - before).Seconds() * gib / r.Bytes, r.CPU * gib / r.Bytes}, nil
}

func measureFloor(ctx context.Context, b *bench, p peer) ([]float64, error) {
	srv, err := b.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	var r report.Result
	err = measure(ctx, b.limit(), &r, b.bin("floor"), "run",
		"-to", srv.addr, "-pid", strconv.Itoa(srv.pid()), "-duration", b.duration().String())
	return bulkValues(&r), err
}

func measureHTTPBulk(ctx context.Context, b *bench, p peer) ([]float64, error) {
	p.prefix = "" // all have the route there
	r, err := b.load(ctx, p, time.Second, "-path", "/bulk", "-size", strconv.Itoa(64<<20),
		"-duration", b.duration().String(), "requests")
	return bulkValues(r), err
}

// bulkValues returns the columns of bulk workloads.
func bulkValues(r *report.Result) []float64 {
	if r == nil || r.Bytes == 0 {
		return nil
	}
	return []float64{r.Bytes * 8 / r.Seconds / 1e9, r.ServerCPU * gib / r.Bytes, r.ClientCPU * gib / r.Bytes}
}
