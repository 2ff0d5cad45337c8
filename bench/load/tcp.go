package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

// netClient is net/http's client. It sends requests over one or several connections.
type netClient struct {
	opts    *options
	client  http.Client
	request *http.Request
}

// newNetClient returns a client that has up to conns connections. Over HTTP/2
// there should be one, as net/http prefers to share it, and over HTTP/3 there is.
func newNetClient(opts *options, conf *tls.Config, conns int) (*netClient, error) {
	req, err := http.NewRequest(http.MethodGet, "https://"+opts.addr+opts.path, nil)
	if err != nil {
		return nil, err
	}
	if opts.proto == "h3" {
		t := &http3.Transport{TLSClientConfig: conf, DisableCompression: true}
		return &netClient{opts, http.Client{Transport: t}, req}, nil
	}
	t := &http.Transport{
		TLSClientConfig:     conf.Clone(), // net/http changes it
		MaxConnsPerHost:     conns,
		MaxIdleConnsPerHost: conns,
		DisableCompression:  true,
		Protocols:           new(http.Protocols),
		HTTP2:               &http.HTTP2Config{MaxReceiveBufferPerStream: flowWindow, MaxReceiveBufferPerConnection: flowWindow},
	}
	t.Protocols.SetHTTP2(opts.proto == "h2")
	t.Protocols.SetHTTP1(opts.proto != "h2")
	return &netClient{opts, http.Client{Transport: t}, req}, nil
}

// buffers are what content is read into; there is one for each request at a time.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// get makes a request, counts its content, and returns the state of the
// connection that it was made on. m may be nil.
func (c *netClient) get(ctx context.Context, m *meter) (*tls.ConnectionState, error) {
	resp, err := c.client.Do(c.request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the response is %s", resp.Status)
	}
	buf := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buf)
	size := 0
	for {
		n, err := resp.Body.Read(buf[:])
		size += n
		if m != nil {
			m.bytes.Add(int64(n))
		}
		switch {
		case err == io.EOF && size == c.opts.size:
			return resp.TLS, nil
		case err == io.EOF:
			return nil, fmt.Errorf("the response has %d bytes of content instead of %d", size, c.opts.size)
		case err != nil:
			return nil, err
		}
	}
}

// startNet makes the connections and runs requests one after the other.
func startNet(ctx context.Context, opts *options, t *traffic) error {
	return startWorkers(ctx, opts, t, func() (time.Time, bool) { return time.Now(), !t.over.Load() })
}

// startWorkers makes the connections and a goroutine for each request that may
// run at a time. Next returns when the request that comes next was due, and
// false if none does. HTTP/1.1 gets a connection for each goroutine.
func startWorkers(ctx context.Context, opts *options, t *traffic, next func() (time.Time, bool)) error {
	clients, conns, workers := opts.conns, 1, opts.streams
	if opts.proto == "http/1.1" {
		workers *= clients
		clients, conns = 1, workers
	}
	for range clients {
		c, err := newNetClient(opts, opts.tlsConfig(), conns)
		if err != nil {
			return err
		}
		if _, err := c.get(ctx, nil); err != nil { // so that all share the connection
			return err
		}
		for range workers {
			m := new(meter)
			t.meters = append(t.meters, m)
			go func() {
				for due, ok := next(); ok; due, ok = next() {
					if _, err := c.get(ctx, m); err != nil {
						t.fail(err)
						return
					}
					m.responded(due)
				}
			}()
		}
	}
	return nil
}
