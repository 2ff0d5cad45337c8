package http3

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"sync"
)

// Register makes t the HTTP/3 side of an http.Transport, which then uses it for
// requests that its Protocols want sent over HTTP/3. That takes a version of
// net/http whose Protocols can have HTTP/3 (golang/go#77440); with others nothing
// changes, and Upgrader does the same from the outside.
func (t *Transport) Register(tr *http.Transport) { tr.RegisterProtocol(hookName, hookedTransport{t}) }

// hookedTransport is what net/http looks for: something that makes connections.
type hookedTransport struct{ t *Transport }

// RoundTrip is there for RegisterProtocol; requests go to connections.
func (h hookedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return h.t.RoundTrip(req)
}

// DialClientConn makes a connection. net/http pools it; stateHook is to be called
// when it can take more requests than before, or none any more.
func (h hookedTransport) DialClientConn(ctx context.Context, addr string, proxy *url.URL, stateHook func()) (http.RoundTripper, error) {
	if proxy != nil {
		return nil, fmt.Errorf("http3: requests through a proxy: %w", errors.ErrUnsupported)
	}
	cc, err := h.t.dialQUIC(ctx, addr)
	if err != nil {
		return nil, err
	}
	h.t.adopt(cc)
	if stateHook == nil {
		stateHook = func() {}
	}
	context.AfterFunc(cc.qc.Context(), stateHook)
	return &hookedConn{cc: cc, changed: stateHook}, nil
}

// adopt counts a connection as live that is not in the pool. It closes by itself
// when it is gone and without requests, so one request is counted until Close.
func (t *Transport) adopt(cc *clientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cc.requests++
	if !cc.ended {
		if t.live == nil {
			t.live = make(map[*clientConn]struct{})
		}
		t.live[cc] = struct{}{}
	}
}

// hookedConn is a connection that net/http pools. Its methods are those of
// http.ClientConn.
type hookedConn struct {
	cc      *clientConn
	changed func()

	mu       sync.Mutex
	reserved int
	closed   bool
}

var errHookedClosed = errors.New("http3: connection is closed, or wants no more requests")

// Err returns nil as long as the connection takes requests.
func (c *hookedConn) Err() error {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.cc.gone {
		return errHookedClosed
	}
	return nil
}

// RoundTrip sends a request, which takes a reservation if there is one.
func (c *hookedConn) RoundTrip(req *http.Request) (*http.Response, error) {
	c.Release()
	err := checkRequest(req)
	if err == nil {
		err = c.Err()
	}
	if err != nil {
		closeBody(req)
		return nil, err
	}
	t := c.cc.transport
	t.mu.Lock()
	c.cc.requests++
	t.mu.Unlock()
	resp, failed := c.cc.roundTrip(req)
	if failed != nil {
		if failed.untouched {
			closeBody(req)
		}
		c.changed()
		return nil, failed.result(req.Context(), c.cc.addr)
	}
	return resp, nil
}

// Reserve keeps room for a request.
func (c *hookedConn) Reserve() error {
	if err := c.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reserved++
	return nil
}

// Release gives a reservation back.
func (c *hookedConn) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reserved = max(0, c.reserved-1)
}

// Available returns how many requests may be sent: any number, as those beyond
// the server's limit wait.
func (c *hookedConn) Available() int {
	if c.Err() != nil {
		return 0
	}
	return math.MaxInt
}

// InFlight returns how many requests are running or reserved.
func (c *hookedConn) InFlight() int {
	c.mu.Lock()
	n := c.reserved
	if !c.closed {
		n-- // that of adopt
	}
	c.mu.Unlock()
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	return n + c.cc.requests
}

// Close closes the connection once its requests are done.
func (c *hookedConn) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.cc.transport.retire(c.cc)
		c.cc.transport.release(c.cc)
	}
	return nil
}
