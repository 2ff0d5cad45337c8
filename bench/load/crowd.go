package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
)

// crowd is very many connections.
type crowd struct {
	mu     sync.Mutex
	visits []*visit
	failed int
	err    error // the first
}

func (c *crowd) add(v *visit, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.visits = append(c.visits, v)
		return
	}
	c.failed++
	if c.err == nil {
		c.err = err
	}
}

// fill completes a result.
func (c *crowd) fill(r *report.Result) {
	r.Requests, r.Failed = float64(len(c.visits)), float64(c.failed)
	if c.err != nil {
		r.Error = c.err.Error()
	}
	if len(c.visits) > 0 {
		r.Suite = tls.CipherSuiteName(c.visits[0].state.CipherSuite)
	}
}

// gather makes conns connections, up to parallel of them at a time.
func gather(ctx context.Context, opts *options, v visitor, parallel int) *crowd {
	c := new(crowd)
	conf := opts.tlsConfig()
	turns := make(chan struct{}, parallel)
	var all sync.WaitGroup
	for range opts.conns {
		turns <- struct{}{}
		all.Go(func() {
			c.add(tryVisit(ctx, opts, v, conf))
			<-turns
		})
	}
	all.Wait()
	return c
}

// measureBurst has all connections begin at once, each to make one request, and
// counts those that complete.
func measureBurst(ctx context.Context, opts *options) (*report.Result, error) {
	v, err := newVisitor(opts)
	if err != nil {
		return nil, err
	}
	w, err := cpu.Open(opts.pid)
	if err != nil {
		return nil, err
	}
	c := gather(ctx, opts, v, opts.conns)
	result, err := report.Of(w)
	if err != nil {
		return nil, err
	}
	c.fill(result)
	return result, nil
}

const (
	// gatherParallel is how many handshakes run at a time where the crowd is
	// not to be a burst.
	gatherParallel = 32
	// settle is how long the last tickets and acknowledgments may take before
	// connections count as idle.
	settle = 2 * time.Second
)

// measureIdle makes conns connections with a request on each, and tells what
// memory of the server they hold and what CPU time they cost it afterwards.
func measureIdle(ctx context.Context, opts *options) (*report.Result, error) {
	v, err := newVisitor(opts)
	if err != nil {
		return nil, err
	}
	first, err := tryVisit(ctx, opts, v, opts.tlsConfig())
	if err != nil {
		return nil, err
	}
	first.close()
	before, err := cpu.Resident(opts.pid)
	if err != nil {
		return nil, err
	}
	c := gather(ctx, opts, v, gatherParallel)
	time.Sleep(settle)
	w, err := cpu.Open(opts.pid)
	if err != nil {
		return nil, err
	}
	time.Sleep(opts.duration)
	result, err := report.Of(w)
	if err != nil {
		return nil, err
	}
	after, err := cpu.Resident(opts.pid)
	if err != nil {
		return nil, err
	}
	result.Memory = float64(after - before)
	c.fill(result)
	return result, checkAlive(ctx, opts, v, c)
}

// checkAlive makes sure that what was measured were connections: that the server
// still answers, and that it has closed none.
func checkAlive(ctx context.Context, opts *options, v visitor, c *crowd) error {
	last, err := tryVisit(ctx, opts, v, opts.tlsConfig())
	if err != nil {
		return fmt.Errorf("afterwards the server is gone: %w", err)
	}
	last.close()
	dead := 0
	for _, visit := range c.visits {
		if visit.ended() {
			dead++
		}
	}
	if dead > 0 {
		return fmt.Errorf("the server closed %d connections of %d", dead, len(c.visits))
	}
	return nil
}
