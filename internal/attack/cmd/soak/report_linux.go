package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/internal/attack/child"
)

// reporter counts what clients did and prints it with what the server holds. Any
// goroutine may add to it, one print.
type reporter struct {
	out     io.Writer
	server  *child.Server
	verbose bool
	began   time.Time
	last    usage // when a line was printed

	mu      sync.Mutex
	tallies map[string]*tally
	took    []time.Duration // small requests, since the last line
	worst   time.Duration   // of all
}

// usage is CPU time that was used until a time, by the server and by the clients.
type usage struct {
	at             time.Time
	server, client time.Duration
}

func (r *reporter) usage() usage {
	u := usage{at: time.Now(), server: r.server.CPU()}
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) == nil {
		u.client = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	}
	return u
}

// shares returns what was used since the other, in per cent of a processor.
func (u usage) shares(since usage) (server, client float64) {
	elapsed := max(u.at.Sub(since.at).Seconds(), 1e-3)
	return 100 * (u.server - since.server).Seconds() / elapsed, 100 * (u.client - since.client).Seconds() / elapsed
}

// tally is what became of a kind of client.
type tally struct {
	honest       bool
	done, failed int
	errors       []string // the first ones
}

// maxErrors is how many errors of a kind are told.
const maxErrors = 5

// add takes note of a client's end.
func (r *reporter) add(kind string, honest bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tallies[kind]
	if t == nil {
		t = &tally{honest: honest}
		r.tallies[kind] = t
	}
	if err == nil {
		t.done++
		return
	}
	t.failed++
	if len(t.errors) < maxErrors {
		t.errors = append(t.errors, fmt.Sprintf("after %v: %v", time.Since(r.began).Round(time.Second), err))
	}
}

// answered takes note of how long an honest small request took.
func (r *reporter) answered(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, d)
	r.worst = max(r.worst, d)
}

// logf prints a line, if much is to be said.
func (r *reporter) logf(format string, args ...any) {
	if r.verbose {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.out, "    "+format+"\n", args...)
	}
}

// during calls f and prints a line each minute and in the end. The error is that of the
// context, or says that the server has ended.
func (r *reporter) during(ctx context.Context, phase string, f func(ctx context.Context)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() {
		f(ctx)
		close(done)
	}()
	watch, minute := time.NewTicker(time.Second), time.NewTicker(time.Minute)
	defer watch.Stop()
	defer minute.Stop()
	for {
		select {
		case <-watch.C:
			if err := r.server.Ended(); err != nil {
				cancel(err)
			}
		case <-minute.C:
			r.line(phase)
		case <-done:
			r.line(phase)
			return context.Cause(ctx)
		}
	}
}

func (r *reporter) sample() sample {
	return sample{memory: r.server.Resident(), goroutines: r.server.Goroutines(), descriptors: r.server.Descriptors(), threads: r.server.Threads()}
}

// line prints how things are; of the CPU time, the server's share and the clients'.
func (r *reporter) line(phase string) {
	s := r.sample()
	now := r.usage()
	server, client := now.shares(r.last)
	r.last = now
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.took)
	latency := "none asked"
	if n := len(r.took); n > 0 {
		latency = fmt.Sprintf("p50 %v p99 %v", r.took[n/2].Round(10*time.Microsecond), r.took[n*99/100].Round(10*time.Microsecond))
	}
	r.took = r.took[:0]
	fmt.Fprintf(r.out, "%7v %-7s %4d MB, %4d goroutines, %3d descriptors, %3d threads, %.0f + %.0f %% CPU; %s;%s\n",
		time.Since(r.began).Round(time.Second), phase, s.memory, s.goroutines, s.descriptors, s.threads, server, client, latency, r.counts())
}

// counts returns how many of each kind were done, "/" and how many failed, if any.
func (r *reporter) counts() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(r.tallies)) {
		t := r.tallies[kind]
		fmt.Fprintf(&b, " %s %d", kind, t.done)
		if t.failed > 0 {
			fmt.Fprintf(&b, "/%d", t.failed)
		}
	}
	return b.String()
}

// summary prints what failed of those that are not honest, whose failures are no
// fault of the server's.
func (r *reporter) summary() {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, "the worst honest small request took %v; the server had %d MB at most; it logged %d lines\n",
		r.worst.Round(time.Millisecond), r.server.Peak(), r.server.Log.Lines())
	for _, kind := range slices.Sorted(maps.Keys(r.tallies)) {
		t := r.tallies[kind]
		for _, e := range t.errors {
			if !t.honest {
				fmt.Fprintf(r.out, "%s, %s\n", kind, e)
			}
		}
	}
}

// failures says what failed of honest clients.
func (r *reporter) failures() (failures []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(r.tallies)) {
		t := r.tallies[kind]
		if t.honest && t.failed > 0 {
			failures = append(failures, fmt.Sprintf("%d of %d clients of kind %s: %s", t.failed, t.done+t.failed, kind, strings.Join(t.errors, "; ")))
		}
	}
	return failures
}
