package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic/event"
)

// tick is how often requests are sent at a fixed rate: those that are due leave
// together.
const tick = 250 * time.Microsecond

// measureRate sends requests at a fixed rate, whatever becomes of those before,
// and measures latency from when each was due.
func measureRate(ctx context.Context, opts *options) (*report.Result, error) {
	if opts.rate <= 0 {
		return nil, errors.New("-rate must be positive")
	}
	t := newTraffic()
	start := startRateTCP
	if opts.proto == "h3" && !opts.netHTTP {
		start = startRateH3
	}
	if err := start(ctx, opts, t); err != nil {
		return nil, err
	}
	return t.measure(opts)
}

// startRateH3 spreads the requests over the connections.
func startRateH3(ctx context.Context, opts *options, t *traffic) error {
	opts.loops = 1
	conns, err := dialH3(ctx, opts, t, func(event.Turn, *h3Conn, time.Time) {})
	if err != nil {
		return err
	}
	next := 0
	go pace(t, opts.rate, func(n int, due time.Time) {
		for range n {
			c := conns[next]
			event.Run(c.qc, func(t event.Turn) { c.send(t, due) })
			next = (next + 1) % len(conns)
		}
	})
	return nil
}

// maxDue is how many requests may be due and not under way, a measurement's
// worth, when a server over TCP does not keep up.
const maxDue = 1 << 20

// startRateTCP has each request made by whichever goroutine is free.
func startRateTCP(ctx context.Context, opts *options, t *traffic) error {
	due := make(chan time.Time, maxDue)
	go pace(t, opts.rate, func(n int, at time.Time) {
		for range n {
			due <- at
		}
	})
	return startWorkers(ctx, opts, t, func() (time.Time, bool) { return <-due, true })
}

// pace calls send at every tick with how many requests are due, until the
// traffic is over.
func pace(t *traffic, rate float64, send func(n int, due time.Time)) {
	runtime.LockOSThread() // whose sleep is finer than the runtime's
	start, sent := time.Now(), 0
	for due := start; !t.over.Load(); due = due.Add(tick) {
		sleep(time.Until(due))
		target := int(rate * due.Sub(start).Seconds())
		if n := target - sent; n > 0 {
			send(n, due)
			sent = target
		}
	}
}
