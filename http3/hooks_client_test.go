package http3

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// hookedPool plays the pool of net/http: it keeps one connection.
type hookedPool struct {
	t      *testing.T
	hooked *hookedTransport
	addr   string
	conn   http.RoundTripper
	dials  int
}

func newHookedPool(t *testing.T, ts *testServer, tr *http.Transport) *hookedPool {
	if tr == nil {
		tr = new(http.Transport)
	}
	_, tr.TLSClientConfig = peertest.TLS(t)
	ts.transport.TLSClientConfig = nil
	return &hookedPool{t: t, hooked: &hookedTransport{t: ts.transport, tr: tr}, addr: ts.addr}
}

// dial makes a connection.
func (p *hookedPool) dial() http.RoundTripper {
	p.t.Helper()
	p.dials++
	rt, err := p.hooked.DialClientConn(testContext(p.t), p.addr, nil, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return rt
}

// RoundTrip does what net/http does.
func (p *hookedPool) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		if p.conn == nil {
			p.conn = p.dial()
		}
		resp, err := p.conn.RoundTrip(req)
		if _, ok := err.(interface{ IsHTTP2NoCachedConnError() }); !ok {
			return resp, err
		}
		if p.dials > 10 {
			p.t.Fatal("too many connections")
		}
		p.conn = nil
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// post sends a request and returns the client's address as the server sees it.
func (p *hookedPool) post() string {
	p.t.Helper()
	req := mustRequest(p.t, "https://"+p.addr)
	req.Method, req.Body = "POST", io.NopCloser(strings.NewReader("content"))
	return p.do(req)
}

func (p *hookedPool) do(req *http.Request) string {
	p.t.Helper()
	resp, err := p.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Error(err)
	}
	return string(content)
}

// tellClient answers with the client's address.
func tellClient(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, r.RemoteAddr)
}

// TestHookedConnLost: a connection that is over is left for another one, without the
// request's body having been touched.
func TestHookedConnLost(t *testing.T) {
	ts := serve(t, tellClient)
	p := newHookedPool(t, ts, nil)
	first := p.post()
	c := ts.liveConns()[0]
	_ = c.qc.CloseWithError(uint64(h3.NoError), "")
	if !eventually(func() bool { return ts.transport.liveCount() == 0 }) {
		t.Error("the connection lives on")
	}
	if got := p.post(); got == first {
		t.Errorf("again from %s", got)
	}
}

// TestHookedConnGoAway: a request that the server has not processed is sent elsewhere, and
// the connection ends. The first of a connection fails: another would fare no better.
func TestHookedConnGoAway(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		if n == 2 || n > 3 {
			reject(s)
			return
		}
		s.WriteLast(headers(":status=200"))
	})
	p := newHookedPool(t, rs.testServer, nil)
	p.post()
	req := mustRequest(t, rs.url)
	req.Method, req.Body = "POST", io.NopCloser(strings.NewReader("content"))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("content")), nil }
	p.do(req)
	if p.dials != 2 {
		t.Errorf("%d connections", p.dials)
	}
	if !eventually(func() bool { return rs.transport.liveCount() == 1 }) {
		t.Error("the connection that was left does not end")
	}
	p.conn = nil
	if _, err := p.RoundTrip(mustRequest(t, rs.url)); err == nil {
		t.Error("no error")
	} else {
		wantError(t, err, h3.RequestRejected, true, false)
	}
}

// TestHookedConnClosed: net/http closes a connection that it does not keep, before the
// request for which it was made. It serves that one, and then ends; also without one.
func TestHookedConnClosed(t *testing.T) {
	ts := serve(t, tellClient)
	p := newHookedPool(t, ts, nil)
	closed := func() *hookedConn {
		c := p.dial().(*hookedConn)
		_ = c.Close()
		return c
	}
	p.conn = closed()
	first := p.post()
	p.conn = closed()
	if p.post() == first {
		t.Error("both on one connection")
	}
	c := closed()
	if c.cc.idleSince.IsZero() || ts.transport.idleTimeout(c.cc) != closedTimeout {
		t.Error("nobody looks after a connection that was closed and is not used")
	}
	ts.transport.mu.Lock()
	c.cc.idleSince = time.Now().Add(-closedTimeout)
	ts.transport.mu.Unlock()
	event.Run(c.cc.qc, c.cc.lookIfIdle)
	if !eventually(func() bool { return ts.transport.liveCount() == 0 }) {
		t.Errorf("%d connections are left", ts.transport.liveCount())
	}
	if _, err := c.RoundTrip(mustRequest(t, ts.url)); err == nil {
		t.Error("a request on a connection that is over")
	}
}

// TestHookedConnFull: what a connection has no room for goes on another one.
func TestHookedConnFull(t *testing.T) {
	s := servePool(t, 1)
	p := newHookedPool(t, s.testServer, nil)
	resp, err := p.RoundTrip(mustRequest(t, s.url+"/hold"))
	if err != nil {
		t.Fatal(err)
	}
	c := p.conn.(*hookedConn)
	if n := c.Available(); n != 0 || c.Reserve() != errHookedFull || c.InFlight() != 1 {
		t.Errorf("%d available, %d in flight", n, c.InFlight())
	}
	p.do(mustRequest(t, s.url))
	if p.dials != 2 {
		t.Errorf("%d connections", p.dials)
	}
	close(s.release)
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	resp.Body.Close()
	if !eventually(func() bool { return s.transport.liveCount() == 1 }) {
		t.Error("the connection that was left does not end")
	}
}

// TestHookedRequestClose: the connection takes no request after it.
func TestHookedRequestClose(t *testing.T) {
	ts := serve(t, tellClient)
	p := newHookedPool(t, ts, nil)
	var seen []string
	for range 3 {
		req := mustRequest(t, ts.url)
		req.Close = true
		seen = append(seen, p.do(req))
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 3 {
		t.Errorf("from %q", seen)
	}
}

// TestHookedConnOwned: Close of a connection that is the user's ends its requests.
func TestHookedConnOwned(t *testing.T) {
	s := servePool(t, 10)
	p := newHookedPool(t, s.testServer, nil)
	changes := make(chan struct{}, 100)
	rt, err := p.hooked.DialClientConn(testContext(t), s.addr, nil, func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := rt.(*hookedConn)
	resp, err := c.RoundTrip(mustRequest(t, s.url+"/hold"))
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Available(); n != 9 {
		t.Errorf("%d available", n)
	}
	_ = c.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the request goes on")
	}
	resp.Body.Close()
	wait(t, "the hook", changes)
	if c.Err() == nil {
		t.Error("no error after Close")
	}
	if _, err := c.RoundTrip(mustRequest(t, s.url)); !errors.Is(err, errHookedClosed) {
		t.Error(err)
	}
}

// TestTakeOver: fields of an http.Transport count where the Transport has none.
func TestTakeOver(t *testing.T) {
	_, clientTLS := peertest.TLS(t)
	tr := &http.Transport{
		TLSClientConfig: clientTLS, TLSHandshakeTimeout: 1, DisableCompression: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 2,
		ExpectContinueTimeout: 3, ResponseHeaderTimeout: 4, IdleConnTimeout: 5, MaxConnsPerHost: 6, MaxIdleConnsPerHost: 7,
	}
	var got Transport
	got.takeOver(tr)
	if got.TLSClientConfig != clientTLS || got.QUICConfig.HandshakeTimeout != 1 || !got.DisableCompression || !got.DisableKeepAlives || got.MaxResponseHeaderBytes != 2 ||
		got.ExpectContinueTimeout != 3 || got.ResponseHeaderTimeout != 4 || got.IdleConnTimeout != 5 || got.MaxConnsPerHost != 6 || got.MaxIdleConnsPerHost != 7 {
		t.Error("something was not taken over")
	}
	own := Transport{MaxConnsPerHost: 1, QUICConfig: &quic.Config{HandshakeTimeout: 2}}
	own.takeOver(tr)
	if own.MaxConnsPerHost != 1 || own.QUICConfig.HandshakeTimeout != 2 {
		t.Error("what was set was overwritten")
	}
}
