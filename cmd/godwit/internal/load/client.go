package load

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// loader is one connection.
type loader struct {
	of        *run
	transport http.RoundTripper
	templates []*http.Request // what is sent in turn, without a context and a body
	next      atomic.Uint64   // of them
	tally     tally
	connected time.Duration // how long it took to connect, 0 if it has not
	idle      *time.Timer   // ends the connection when nothing comes, nil for never
	close     func()
}

// connectors is how many connections are made at the same time.
const connectors = 16

// clients returns the connections, none of which is made yet, and what closes them.
func (r *run) clients() (all []*loader, release func(), err error) {
	socket, closeSocket, err := r.shared()
	if err != nil {
		return nil, nil, err
	}
	release = func() {
		for _, c := range all {
			c.close()
		}
		closeSocket()
	}
	for range r.opts.Conns {
		c, err := r.newClient(socket)
		if err != nil {
			release()
			return nil, nil, err
		}
		all = append(all, c)
	}
	return all, release, nil
}

// connect makes the connections, each with a request. The error is that of the first that
// could not be made. What becomes of the request is of no concern.
func (r *run) connect(ctx context.Context, clients []*loader) error {
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
	return firstOf(errs)
}

// connect sends a request and notes how long it took until there was a connection
// to send it on. From then on the request has its time.
func (c *loader) connect(ctx context.Context) error {
	start := time.Now()
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if c.connected == 0 {
			c.connected = max(time.Since(start), 1)
			c.of.connected.Add(1)
			if limit := c.of.opts.firstLimit(); limit > 0 {
				time.AfterFunc(limit, cancel)
			}
		}
	}}
	err := c.send(httptrace.WithClientTrace(sending, trace), false)
	if c.connected > 0 && ctx.Err() == nil {
		return nil
	}
	return err
}

// firstLimit returns how long the request may take with which a connection is made: no
// longer than any other, and no longer than the measurement. 0 is for ever.
func (o *Options) firstLimit() (limit time.Duration) {
	for _, d := range []time.Duration{o.Timeout, o.ActiveTimeout, o.InactivityTimeout, o.Duration} {
		if d > 0 && (limit == 0 || d < limit) {
			limit = d
		}
	}
	return limit
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
func (r *run) newClient(socket *quic.Transport) (*loader, error) {
	method := r.opts.Method
	if method == "" {
		method = http.MethodGet
	}
	templates, err := r.templates(method)
	if err != nil {
		return nil, err
	}
	c := &loader{of: r, templates: templates, tally: tally{statuses: make(map[int]uint64), errors: make(map[string]uint64)}}
	if r.opts.Protocol == HTTP3 {
		t := &http3.Transport{TLSClientConfig: r.opts.TLS, QUICConfig: r.opts.QUIC, QUICTransport: socket, DisableCompression: true}
		if !r.opts.Dialing.Plain() {
			t.Route = func(_ context.Context, origin string) (*quic.Transport, string, error) {
				addr, err := r.opts.Dialing.Route(origin)
				return nil, addr, err
			}
		}
		c.transport, c.close = t, func() { _ = t.Close() }
		return c, nil
	}
	t := &http.Transport{
		TLSClientConfig:    r.opts.TLS.Clone(),
		MaxConnsPerHost:    1,
		DisableCompression: true,
		Protocols:          new(http.Protocols),
		DialContext:        func(ctx context.Context, _, addr string) (net.Conn, error) { return r.opts.Dialing.DialTCP(ctx, addr) },
	}
	t.Protocols.SetHTTP1(r.opts.Protocol == HTTP1)
	t.Protocols.SetHTTP2(r.opts.Protocol == HTTP2)
	c.transport, c.close = t, t.CloseIdleConnections
	return c, nil
}

// templates returns a request for each path.
func (r *run) templates(method string) (all []*http.Request, err error) {
	paths := r.opts.Paths
	if len(paths) == 0 {
		paths = []string{""}
	}
	for _, path := range paths {
		req, err := http.NewRequest(method, r.opts.URL, nil)
		if err != nil {
			return nil, err
		}
		if path != "" {
			if req.URL, err = req.URL.Parse(path); err != nil {
				return nil, err
			}
		}
		if r.opts.Header != nil {
			req.Header = r.opts.Header.Clone()
		}
		req.Host = r.opts.Host
		all = append(all, req)
	}
	return all, nil
}
