package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// idleTimeout is longer than any measurement.
const idleTimeout = 5 * time.Minute

// visit is a connection on which one request was made.
type visit struct {
	close func()
	ended func() bool // the server has closed it
	state tls.ConnectionState
}

// visitor makes connections, from any number of goroutines.
type visitor interface {
	visit(ctx context.Context, conf *tls.Config) (*visit, error)
}

func newVisitor(opts *options) (visitor, error) {
	if opts.proto == "h3" && !opts.netHTTP {
		return newH3Visitor(opts)
	}
	return tcpVisitor{opts}, nil
}

// tryVisit is a visit that takes no longer than the patience lasts.
func tryVisit(ctx context.Context, opts *options, v visitor, conf *tls.Config) (*visit, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	return v.visit(ctx, conf)
}

// h3Visitor makes connections on one socket after the other.
type h3Visitor struct {
	loops []*h3Loop
	next  atomic.Uint32
}

func newH3Visitor(opts *options) (visitor, error) {
	v := &h3Visitor{loops: make([]*h3Loop, opts.loops)}
	for i := range v.loops {
		var err error
		if v.loops[i], err = newH3Loop(opts, nil); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *h3Visitor) visit(ctx context.Context, conf *tls.Config) (*visit, error) {
	loop := v.loops[int(v.next.Add(1))%len(v.loops)]
	responded := make(chan error, 1)
	c, err := loop.dial(ctx, conf, func(_ event.Turn, _ *h3Conn, _ *exchange, err error) { responded <- err })
	if err != nil {
		return nil, err
	}
	// CloseWithError would wait until the loop has told the server.
	end := func() { event.Run(c.qc, func(t event.Turn) { t.Close(0x100, "") }) } // H3_NO_ERROR
	if !event.Run(c.qc, func(t event.Turn) { c.send(t, time.Now()) }) {
		return nil, c.qc.Err()
	}
	select {
	case err = <-responded:
	case <-ctx.Done():
		err = fmt.Errorf("no response: %w", ctx.Err())
	}
	if err != nil {
		end()
		return nil, err
	}
	ended := func() bool { return c.qc.Err() != nil }
	return &visit{close: end, ended: ended, state: c.qc.ConnectionState()}, nil
}

// tcpVisitor makes connections with net/http.
type tcpVisitor struct{ opts *options }

func (v tcpVisitor) visit(ctx context.Context, conf *tls.Config) (*visit, error) {
	c, err := newNetClient(v.opts, conf, 1)
	if err != nil {
		return nil, err
	}
	state, err := c.get(ctx, nil)
	if err != nil {
		c.client.CloseIdleConnections()
		return nil, err
	}
	ended := func() bool { return false } // net/http does not tell
	return &visit{close: c.client.CloseIdleConnections, ended: ended, state: *state}, nil
}
