package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic/event"
)

// traffic is a number of requests that run at any time.
type traffic struct {
	meters meters
	failed chan error // room for one
	over   atomic.Bool
}

func newTraffic() *traffic { return &traffic{failed: make(chan error, 1)} }

// fail ends the measurement, unless it is over: then requests may fail.
func (t *traffic) fail(err error) {
	if t.over.Load() {
		return
	}
	select {
	case t.failed <- err:
	default: // the first cause counts
	}
}

// wait returns after d, or at the first failure.
func (t *traffic) wait(d time.Duration) error {
	select {
	case err := <-t.failed:
		return err
	case <-time.After(d):
		return nil
	}
}

// measureRequests keeps conns * streams requests running.
func measureRequests(ctx context.Context, opts *options) (*report.Result, error) {
	t := newTraffic()
	start := startNet
	if opts.proto == "h3" && !opts.netHTTP {
		start = startH3
	}
	if err := start(ctx, opts, t); err != nil {
		return nil, err
	}
	return t.measure(opts)
}

// measure returns what happens in the window after the warm-up.
func (t *traffic) measure(opts *options) (*report.Result, error) {
	defer t.over.Store(true)
	if err := t.wait(opts.warmup); err != nil {
		return nil, err
	}
	w, err := cpu.Open(opts.pid)
	if err != nil {
		return nil, err
	}
	requests, bytes := t.meters.totals()
	allocs := allocations()
	t.meters.measure(true)
	if err := t.wait(opts.duration); err != nil {
		return nil, err
	}
	t.meters.measure(false)
	allocs = allocations() - allocs
	requestsAfter, bytesAfter := t.meters.totals()
	result, err := report.Of(w)
	if err != nil {
		return nil, err
	}
	result.Allocations = float64(allocs)
	result.Requests, result.Bytes = float64(requestsAfter-requests), float64(bytesAfter-bytes)
	latencies := t.meters.latencies()
	result.P50 = microseconds(latencies.Quantile(0.5))
	result.P99 = microseconds(latencies.Quantile(0.99))
	return result, nil
}

// allocations returns how many objects this process has allocated so far.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// startH3 makes the connections and sends the first requests; each response is
// followed by another request.
func startH3(ctx context.Context, opts *options, t *traffic) error {
	conns, err := dialH3(ctx, opts, t, func(turn event.Turn, c *h3Conn, now time.Time) { c.send(turn, now) })
	if err != nil {
		return err
	}
	for _, c := range conns {
		event.Run(c.qc, func(turn event.Turn) {
			now := time.Now()
			for range opts.streams {
				c.send(turn, now)
			}
		})
	}
	return nil
}

// dialH3 makes connections, spread over the loops. After each response next is
// called on the connection's loop.
func dialH3(ctx context.Context, opts *options, t *traffic, next func(event.Turn, *h3Conn, time.Time)) ([]*h3Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	var conns []*h3Conn
	loops := make([]*h3Loop, min(opts.loops, opts.conns))
	for i := range loops {
		m := new(meter)
		t.meters = append(t.meters, m)
		var err error
		if loops[i], err = newH3Loop(opts, m); err != nil {
			return nil, err
		}
	}
	for i := range opts.conns {
		l := loops[i%len(loops)]
		c, err := l.dial(ctx, opts.tlsConfig(), func(turn event.Turn, c *h3Conn, ex *exchange, err error) {
			if err != nil {
				t.fail(err)
				return
			}
			l.meter.responded(ex.due)
			if !t.over.Load() {
				next(turn, c, time.Now())
			}
		})
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}
