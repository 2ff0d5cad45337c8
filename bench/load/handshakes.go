package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
)

// visits counts them.
type visits struct {
	made, resumed atomic.Int64
}

// measureHandshakes has conns goroutines that visit the server, each again and
// again.
func measureHandshakes(ctx context.Context, opts *options) (*report.Result, error) {
	v, err := newVisitor(opts)
	if err != nil {
		return nil, err
	}
	t, count := newTraffic(), new(visits)
	defer t.over.Store(true)
	for range opts.conns {
		conf, err := visitorTLS(ctx, opts, v)
		if err != nil {
			return nil, err
		}
		go visitAgain(ctx, opts, v, conf, t, count)
	}
	if err := t.wait(opts.warmup); err != nil {
		return nil, err
	}
	w, err := cpu.Open(opts.pid)
	if err != nil {
		return nil, err
	}
	made, resumed := count.made.Load(), count.resumed.Load()
	if err := t.wait(opts.duration); err != nil {
		return nil, err
	}
	made, resumed = count.made.Load()-made, count.resumed.Load()-resumed
	result, err := report.Of(w)
	if err != nil {
		return nil, err
	}
	result.Requests, result.Resumed = float64(made), float64(resumed)
	return result, nil
}

// visitAgain visits until the traffic is over.
func visitAgain(ctx context.Context, opts *options, v visitor, conf *tls.Config, t *traffic, count *visits) {
	for !t.over.Load() {
		visit, err := tryVisit(ctx, opts, v, conf)
		if err != nil {
			t.fail(err)
			return
		}
		visit.close()
		count.made.Add(1)
		if visit.state.DidResume {
			count.resumed.Add(1)
		}
	}
}

// visitorTLS returns the configuration for one goroutine. To resume sessions it
// has a ticket from a first visit.
func visitorTLS(ctx context.Context, opts *options, v visitor) (*tls.Config, error) {
	conf := opts.tlsConfig()
	if !opts.resume {
		return conf, nil
	}
	tickets := &ticketCache{ClientSessionCache: tls.NewLRUClientSessionCache(1), got: make(chan struct{}, 1)}
	conf.ClientSessionCache = tickets
	visit, err := tryVisit(ctx, opts, v, conf)
	if err != nil {
		return nil, err
	}
	defer visit.close()
	select {
	case <-tickets.got:
		conf.ClientSessionCache = tickets.ClientSessionCache // as programs have it
		return conf, nil
	case <-time.After(ticketPatience):
		return nil, fmt.Errorf("the server sent no session ticket within %v", ticketPatience)
	}
}

// ticketPatience is how long to wait for a ticket, which comes right after the
// handshake or not at all.
const ticketPatience = 2 * time.Second

// ticketCache tells when there is a ticket.
type ticketCache struct {
	tls.ClientSessionCache
	got chan struct{} // has room for one
}

// Put keeps a ticket.
func (c *ticketCache) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s == nil {
		return
	}
	select {
	case c.got <- struct{}{}:
	default: // is told already
	}
}
