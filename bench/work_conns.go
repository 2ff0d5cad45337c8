package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

var handshakeColumns = []column{
	{title: "connections/s"},
	{title: "server CPU, ms each", lower: true, versus: true},
	{title: "client CPU, ms each", lower: true},
}

const (
	idleConns  = 10_000
	burstConns = 5_000
	// burstSockets is how many sockets the client has in a burst, over HTTP/3:
	// the answers would overflow the buffer of a single one.
	burstSockets = 50
	// connPatience is how long one connection of a crowd may take.
	connPatience = 20 * time.Second
)

var connWorkloads = []*workload{
	{
		id: "handshakes-full", group: "handshakes", title: "Full handshakes, one request each",
		about:   "16 at a time: connect, request 5 bytes, close. The key exchange is X25519, the certificate ECDSA P-256.",
		columns: handshakeColumns,
		peers:   connPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			return measureHandshakes(ctx, b, p, false)
		},
		chart: map[string]string{handshakeColumns[1].title: "Handshake and a request, server CPU, ms"},
	},
	{
		id: "handshakes-resumed", group: "handshakes", title: "Resumed handshakes, one request each",
		about:   "As above with a session ticket, without 0-RTT.",
		columns: handshakeColumns,
		peers:   connPeers,
		measure: func(ctx context.Context, b *bench, p peer) ([]float64, error) {
			return measureHandshakes(ctx, b, p, true)
		},
	},
	{
		id: "idle", group: "idle", title: "10,000 idle connections after one request each",
		about: "Growth of the server's resident memory, and its CPU time while they are idle, without keep-alive.",
		columns: []column{
			{title: "KiB per connection", lower: true, versus: true},
			{title: "server CPU, % of a core", lower: true},
		},
		peers:   connPeers,
		measure: measureIdle,
		once:    true,
		chart:   map[string]string{"KiB per connection": "Idle connection, KiB"},
	},
	{
		id: "burst", group: "burst", title: "Burst of 5,000 connections",
		about: fmt.Sprintf("All begin at once, each with one request; those not done within %v have failed.", connPatience),
		columns: []column{
			{title: "completed"},
			{title: "s until the last", lower: true},
			{title: "server CPU, ms each", lower: true, versus: true},
		},
		peers:   connPeers,
		measure: measureBurst,
		once:    true,
	},
}

func measureHandshakes(ctx context.Context, b *bench, p peer, resume bool) ([]float64, error) {
	r, err := b.load(ctx, p, 0, "-conns", "16", "-path", p.prefix+small.path,
		"-resume="+strconv.FormatBool(resume), "-duration", b.duration().String(), "handshakes")
	if err != nil {
		return nil, err
	}
	if resume && r.Resumed < r.Requests {
		return nil, fmt.Errorf("only %.0f of %.0f sessions were resumed", r.Resumed, r.Requests)
	}
	return []float64{r.Requests / r.Seconds, r.ServerCPU * 1e3 / r.Requests, r.ClientCPU * 1e3 / r.Requests}, nil
}

func measureIdle(ctx context.Context, b *bench, p peer) ([]float64, error) {
	watch := 10 * time.Second
	if b.quick {
		watch = 5 * time.Second
	}
	r, err := b.load(ctx, p, time.Minute, "-conns", strconv.Itoa(idleConns), "-path", p.prefix+small.path,
		"-patience", connPatience.String(), "-duration", watch.String(), "idle")
	if err != nil {
		return nil, err
	}
	if r.Failed > 0 {
		return nil, fmt.Errorf("%.0f connections failed: %s", r.Failed, r.Error)
	}
	return []float64{r.Memory / 1024 / r.Requests, 100 * r.ServerCPU / r.Seconds}, nil
}

func measureBurst(ctx context.Context, b *bench, p peer) ([]float64, error) {
	r, err := b.load(ctx, p, time.Minute, "-conns", strconv.Itoa(burstConns), "-loops", strconv.Itoa(burstSockets), "-path", p.prefix+small.path,
		"-patience", connPatience.String(), "burst")
	if err != nil {
		return nil, err
	}
	return []float64{r.Requests, r.Seconds, r.ServerCPU * 1e3 / max(r.Requests, 1)}, nil
}
