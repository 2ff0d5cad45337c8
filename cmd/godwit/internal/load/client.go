package load

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// client is one connection.
type client struct {
	run       *run
	transport http.RoundTripper
	template  *http.Request // what is sent, without a context and a body
	tally     tally
	connected time.Duration // how long it took to connect
	close     func()
}

// connectors is how many connections are made at the same time.
const connectors = 16

// connect makes the connections, each with a request.
func (r *run) connect(ctx context.Context) ([]*client, error) {
	shared, release, err := r.shared()
	if err != nil {
		return nil, err
	}
	clients := make([]*client, r.opts.Conns)
	for i := range clients {
		if clients[i], err = r.newClient(shared); err != nil {
			release()
			return nil, err
		}
	}
	last := clients[0]
	closeLast := last.close
	last.close = func() { closeLast(); release() }
	var (
		group sync.WaitGroup
		slots = make(chan struct{}, connectors)
		errs  = make([]error, len(clients))
	)
	for i, c := range clients {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = c.connect(ctx)
		})
	}
	group.Wait()
	return clients, errors.Join(errs[0], firstOf(errs[1:]))
}

// connect sends a request and notes how long it took until there was a connection
// to send it on.
func (c *client) connect(ctx context.Context) error {
	start := time.Now()
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { c.connected = time.Since(start) }}
	return c.request(httptrace.WithClientTrace(ctx, trace), false)
}

// firstOf returns the first error, as they are mostly the same.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// shared returns the UDP socket of all connections over HTTP/3.
func (r *run) shared() (socket *quic.Transport, release func(), err error) {
	if r.opts.Protocol != HTTP3 {
		return nil, func() {}, nil
	}
	socket, err = quic.NewTransport("", r.opts.Transport)
	if err != nil {
		return nil, nil, err
	}
	return socket, func() { _ = socket.Close() }, nil
}

// newClient returns a client with a connection of its own, not yet made.
func (r *run) newClient(socket *quic.Transport) (*client, error) {
	method := r.opts.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, r.opts.URL, nil)
	if err != nil {
		return nil, err
	}
	if r.opts.Header != nil {
		req.Header = r.opts.Header.Clone()
	}
	req.Host = r.opts.Host
	c := &client{run: r, template: req, tally: tally{statuses: make(map[int]uint64), errors: make(map[string]uint64)}}
	if r.opts.Protocol == HTTP3 {
		t := &http3.Transport{TLSClientConfig: r.opts.TLS, QUICConfig: r.opts.QUIC, QUICTransport: socket, DisableCompression: true}
		c.transport, c.close = t, func() { _ = t.Close() }
		return c, nil
	}
	t := &http.Transport{
		TLSClientConfig:    r.opts.TLS.Clone(),
		MaxConnsPerHost:    1,
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	t.Protocols.SetHTTP1(r.opts.Protocol == HTTP1)
	t.Protocols.SetHTTP2(r.opts.Protocol == HTTP2)
	c.transport, c.close = t, t.CloseIdleConnections
	return c, nil
}
