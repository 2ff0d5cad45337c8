package http3

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// Register makes t the HTTP/3 side of an http.Transport, which then uses it for
// requests that its Protocols want sent over HTTP/3. That takes a version of
// net/http whose Protocols can have HTTP/3 (golang/go#77440); with others nothing
// changes, and Upgrader does the same from the outside.
//
// Fields of t that are zero are set to those of tr that have their meaning when the
// first connection is made, TLSClientConfig above all. tr pools the connections. One t
// belongs to one tr.
func (t *Transport) Register(tr *http.Transport) {
	tr.RegisterProtocol(hookName, &hookedTransport{t: t, tr: tr})
}

// takeOver sets fields that are zero to those of an http.Transport that mean the same.
func (t *Transport) takeOver(tr *http.Transport) {
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = tr.TLSClientConfig
	}
	if tr.TLSHandshakeTimeout > 0 && (t.QUICConfig == nil || t.QUICConfig.HandshakeTimeout == 0) {
		t.QUICConfig = cloneQUIC(t.QUICConfig)
		t.QUICConfig.HandshakeTimeout = tr.TLSHandshakeTimeout
	}
	t.DisableCompression = t.DisableCompression || tr.DisableCompression
	t.DisableKeepAlives = t.DisableKeepAlives || tr.DisableKeepAlives
	setDefault(&t.MaxResponseHeaderBytes, max(tr.MaxResponseHeaderBytes, 0))
	setDefault(&t.ExpectContinueTimeout, tr.ExpectContinueTimeout)
	setDefault(&t.ResponseHeaderTimeout, tr.ResponseHeaderTimeout)
	setDefault(&t.IdleConnTimeout, tr.IdleConnTimeout)
	setDefault(&t.MaxConnsPerHost, tr.MaxConnsPerHost)
	setDefault(&t.MaxIdleConnsPerHost, tr.MaxIdleConnsPerHost)
}

// setDefault sets what is zero.
func setDefault[T comparable](p *T, value T) {
	if *p == *new(T) {
		*p = value
	}
}

// hookedTransport is what net/http looks for: something that makes connections.
type hookedTransport struct {
	t    *Transport
	tr   *http.Transport
	once sync.Once
}

// RoundTrip is there for RegisterProtocol; requests go to connections.
func (h *hookedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return h.t.RoundTrip(req)
}

// DialClientConn makes a connection. net/http pools it, unless it gives a stateHook:
// then the connection is the user's, and the hook is to be called when it can take more
// requests than before, or none any more.
func (h *hookedTransport) DialClientConn(ctx context.Context, addr string, proxy *url.URL, stateHook func()) (http.RoundTripper, error) {
	if proxy != nil {
		return nil, fmt.Errorf("http3: requests through a proxy: %w", errors.ErrUnsupported)
	}
	h.once.Do(func() { h.t.takeOver(h.tr) })
	cc, err := h.t.dialQUIC(ctx, addr)
	if err != nil {
		return nil, err
	}
	if err := h.t.adopt(cc, stateHook); err != nil {
		return nil, err
	}
	if stateHook != nil {
		context.AfterFunc(cc.qc.Context(), stateHook)
	}
	return &hookedConn{cc: cc}, nil
}

// adopt counts a connection as live that is not in the pool.
func (t *Transport) adopt(cc *clientConn, changed func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case cc.ended:
		return describe(cc.qc.Err())
	case t.closed:
		cc.close()
		return errTransportClosed
	}
	if t.live == nil {
		t.live = make(map[*clientConn]struct{})
	}
	t.live[cc] = struct{}{}
	cc.pinned, cc.changed = true, changed
	t.idle(cc)
	return nil
}

// hookedConn is a connection that net/http pools. Its methods are those of
// http.ClientConn.
type hookedConn struct {
	cc *clientConn

	// Guarded by the transport's lock:
	reserved int
	used     bool // there was a request
	closed   bool
}

var (
	errHookedClosed = errors.New("http3: connection is closed, or wants no more requests")
	errHookedFull   = errors.New("http3: the server takes no more requests on the connection now")
)

// elsewhere is the error of a request that net/http is to send on another connection,
// dropping this one from its pool.
type elsewhere struct{ error }

// IsHTTP2NoCachedConnError is what net/http looks for.
func (elsewhere) IsHTTP2NoCachedConnError() {}

func (e elsewhere) Unwrap() error { return e.error }

// Err returns nil as long as the connection takes requests.
func (c *hookedConn) Err() error {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.err()
}

// err is Err for those who hold the lock.
func (c *hookedConn) err() error {
	if c.cc.gone {
		return errHookedClosed
	}
	return nil
}

// RoundTrip sends a request, which takes a reservation if there is one. What was not
// sent, or not processed, net/http sends elsewhere.
func (c *hookedConn) RoundTrip(req *http.Request) (*http.Response, error) {
	c.Release()
	if err := checkRequest(req); err != nil {
		closeBody(req)
		return nil, err
	}
	return cancellable(req, c.roundTrip)
}

func (c *hookedConn) roundTrip(req *http.Request) (*http.Response, error) {
	t := c.cc.transport
	how, first, err := c.begin(req)
	if err != nil {
		return nil, elsewhere{err}
	}
	resp, failed := t.tryOn(c.cc, how, req, c.cc.addr)
	if failed == nil {
		return resp, nil
	}
	if again, ok := failed.again(req, failed.repeatable(req) || failed.cause == event.ErrStreamLimit); ok && !first {
		if again != req {
			closeBody(again) // net/http makes one of its own
			lastAttempt(again)
		}
		c.unpin()
		return nil, elsewhere{failed.cause}
	} else if ok {
		closeBody(again)
		lastAttempt(again)
	}
	return nil, failed.result(req.Context(), c.cc.addr)
}

// begin counts a request, and reports whether it is the first. Of a connection that
// was closed the first is sent nevertheless: net/http closes those that it does not
// keep before the request that they were made for.
func (c *hookedConn) begin(req *http.Request) (how acquired, first bool, err error) {
	t, cc := c.cc.transport, c.cc
	t.mu.Lock()
	defer t.mu.Unlock()
	first = !c.used
	if cc.ended || cc.gone && !(c.closed && first) {
		return acquired{}, first, errHookedClosed
	}
	c.used = true
	cc.granted++
	t.count(cc)
	if wantsClose(req) {
		t.remove(cc)
		cc.pinned = false
	}
	return acquired{reused: !first, limit: cc.limit}, first, nil
}

// unpin has a connection end with its last request that net/http has dropped.
func (c *hookedConn) unpin() {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(c.cc)
	c.cc.pinned = false
	if c.cc.requests == 0 {
		c.cc.close()
	}
}

// Reserve keeps room for a request.
func (c *hookedConn) Reserve() error {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := c.err(); err != nil {
		return err
	}
	if c.available() == 0 {
		return errHookedFull
	}
	c.reserved++
	return nil
}

// Release gives a reservation back.
func (c *hookedConn) Release() {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	c.reserved = max(0, c.reserved-1)
}

// Available returns how many requests may be sent.
func (c *hookedConn) Available() int {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.available()
}

// available is Available for those who hold the lock.
func (c *hookedConn) available() int {
	room := c.cc.granted + uint64(c.reserved)
	if c.cc.gone || c.cc.limit <= room {
		return 0
	}
	return int(min(c.cc.limit-room, math.MaxInt))
}

// InFlight returns how many requests are running or reserved.
func (c *hookedConn) InFlight() int {
	t := c.cc.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.reserved + c.cc.requests
}

// Close closes the connection, if it is the user's, and otherwise lets it end with its
// requests: the one that it was made for may be still to come.
func (c *hookedConn) Close() error {
	t, cc := c.cc.transport, c.cc
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	t.remove(cc)
	cc.pinned = false
	switch {
	case cc.changed != nil || c.used && cc.requests == 0:
		cc.close()
	case !c.used:
		cc.idleSince, cc.watched = time.Now(), true
		event.Run(cc.qc, cc.lookIfIdle) // sooner than it has been going to
	}
	return nil
}
