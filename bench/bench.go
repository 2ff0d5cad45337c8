package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
)

// bench runs workloads.
type bench struct {
	*settings
	*programs
	progress func(format string, args ...any)
}

// result is a workload with all samples.
type result struct {
	workload *workload
	rows     []*row
}

// row is what was measured with one peer.
type row struct {
	peer     peer
	samples  [][]float64 // by round and column
	failures []string    // why rounds are missing
}

// run runs all workloads that are wanted, until ctx ends.
func (b *bench) run(ctx context.Context) []*result {
	var results []*result
	for _, w := range workloads() {
		if !b.wantsWorkload(w.group) || ctx.Err() != nil {
			continue
		}
		if r := b.runWorkload(ctx, w); len(r.rows) > 0 {
			results = append(results, r)
		}
	}
	return results
}

// runWorkload runs all rounds of a workload. In each, the peers come one after
// the other, each time in another order.
func (b *bench) runWorkload(ctx context.Context, w *workload) *result {
	r := &result{workload: w}
	for _, p := range w.peers {
		if b.measures(p) {
			r.rows = append(r.rows, &row{peer: p})
		}
	}
	b.progress("%s", w.title)
	for round := range b.roundsOf(w) {
		for i := range r.rows {
			row := r.rows[(i+round)%len(r.rows)]
			values, err := w.measure(ctx, b, row.peer)
			switch {
			case ctx.Err() != nil:
				return r
			case err != nil:
				row.failures = append(row.failures, err.Error())
				b.progress("  %-45s %v", row.peer.name, err)
			default:
				row.samples = append(row.samples, values)
				b.progress("  %-45s %s", row.peer.name, formatValues(values))
			}
		}
	}
	return r
}

// measures reports whether a peer is wanted and there. The floor always is.
func (b *bench) measures(p peer) bool {
	_, missing := b.missing[p.family]
	return !missing && (p.family == floorPeer.family || b.wantsPeer(p.family))
}

func (b *bench) roundsOf(w *workload) int {
	switch {
	case b.rounds > 0:
		return b.rounds
	case b.quick && w.once:
		return 1
	}
	return 5
}

// duration is how long one measurement takes.
func (b *bench) duration() time.Duration {
	if b.quick {
		return time.Second
	}
	return 3 * time.Second
}

// limit is when a client that should have taken that long is given up.
func (b *bench) limit() time.Duration { return b.duration() + time.Minute }

// start starts a peer's server.
func (b *bench) start(ctx context.Context, p peer) (*server, error) {
	return start(ctx, p.argv(b.programs))
}

// load starts a peer's server and runs the load client with it, which may take
// extra time beyond that of a measurement.
func (b *bench) load(ctx context.Context, p peer, extra time.Duration, args ...string) (*report.Result, error) {
	srv, err := b.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	return b.loadServer(ctx, srv, p, extra, args...)
}

// loadServer is load with a server that runs already.
func (b *bench) loadServer(ctx context.Context, srv *server, p peer, extra time.Duration, args ...string) (*report.Result, error) {
	var r report.Result
	err := measure(ctx, b.limit()+extra, &r, append([]string{
		b.bin("load"), "-addr", srv.addr, "-pid", strconv.Itoa(srv.pid()), "-proto", p.proto,
	}, args...)...)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

func formatValues(values []float64) string {
	s := ""
	for _, v := range values {
		s += fmt.Sprintf(" %9s", format(v))
	}
	return s
}
