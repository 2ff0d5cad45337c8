package http3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic/event"
)

// ErrNoExtendedConnect is the error of Connect when the server does not take
// extended CONNECT requests.
var ErrNoExtendedConnect = errors.New("http3: the server does not take extended CONNECT requests")

// Connect sends an extended CONNECT request (RFC 9220), a request with method
// CONNECT and the protocol in Header[":protocol"], and waits for the answer. With
// a status of 2xx the result is a tunnel. Otherwise the tunnel is nil, and the
// response's Body must be read or closed. ctx counts, and not the request's context: until
// Connect returns, as a tunnel outlives it; package httptrace's hooks in it are called up to
// GotConn. The request's Body is not used. The error is ErrNoExtendedConnect when the
// server does not take such requests, and otherwise one as RoundTrip's.
func (t *Transport) Connect(ctx context.Context, req *http.Request) (*Tunnel, *http.Response, error) {
	if err := checkConnect(req); err != nil {
		return nil, nil, err
	}
	addr := originAddr(req.URL)
	full := false
	for attempt := 1; ; attempt++ {
		cc, how, err := t.acquireTraced(ctx, addr, false, full)
		if err != nil {
			return nil, nil, requestFailed(ctx, addr, err)
		}
		p, err := cc.beginConnect(ctx, req)
		if full = err == event.ErrStreamLimit; full {
			t.full(cc, how)
			attempt--
			continue
		}
		if err == nil {
			tunnel, resp, err := p.wait(ctx)
			if err != nil {
				return nil, nil, requestFailed(ctx, addr, err)
			}
			return tunnel, resp, nil
		}
		if again := how.reused && isConnEnd(err) && attempt < maxAttempts && ctx.Err() == nil; !again {
			return nil, nil, requestFailed(ctx, addr, describe(err))
		}
		t.retire(cc)
	}
}

// checkConnect refuses what is no extended CONNECT request that can be sent.
func checkConnect(req *http.Request) error {
	switch {
	case req.Method != http.MethodConnect:
		return fmt.Errorf("http3: Connect with method %q", req.Method)
	case Protocol(req) != "" && !h3.ValidMethod(Protocol(req)):
		return fmt.Errorf("http3: invalid protocol %q", Protocol(req))
	}
	get := *req
	get.Method, get.Body = http.MethodGet, nil
	get.Header = req.Header.Clone()
	delete(get.Header, protocolKey)
	return checkRequest(&get)
}

// pendingTunnel is a tunnel whose request has been sent, or is about to.
type pendingTunnel struct {
	h3event.Stream
	client *clientConn
	req    *http.Request
	body   body
	tunnel *Tunnel
	resp   *http.Response
	err    error
	done   chan struct{} // closed when resp or err is set

	released atomic.Bool
	prepared atomic.Bool // by the extension, and not abandoned
}

func (p *pendingTunnel) ownTunnel() *Tunnel { return p.tunnel }

func (p *pendingTunnel) content() *body { return &p.body }

// beginConnect sends the request. An error means that it was not sent, and the
// connection has been released, unless it is event.ErrStreamLimit.
func (c *clientConn) beginConnect(ctx context.Context, req *http.Request) (*pendingTunnel, error) {
	p := &pendingTunnel{client: c, req: req, done: make(chan struct{})}
	p.Turn = &c.turn
	fields, err := p.prepare(ctx)
	if err == nil {
		_, err = c.qc.AwaitHandshake(ctx)
	}
	if err == nil {
		err = c.do(func(t event.Turn) error { return p.begin(t, fields) })
	}
	if err != nil {
		p.abandon()
		if err != event.ErrStreamLimit {
			c.transport.unused(c)
		}
		return nil, err
	}
	return p, nil
}

// begin sends the request on a stream. On the loop.
func (p *pendingTunnel) begin(t event.Turn, fields []qpack.Field) error {
	c := p.client
	s, err := t.Open(false, p)
	if err != nil {
		return err
	}
	p.Ref = s
	p.body.conn, p.body.rs.App = &c.conn, p
	c.machine.BeginRequest(&p.body.rs, s.ID(), p, http.MethodConnect, true)
	p.body.rs.LimitSection(tunnelHeaderBytes)
	p.tunnel = c.newTunnel(s, &p.body, p.release)
	p.body.owner = p.tunnel
	p.body.rs.TakeDatagrams()
	_ = p.body.rs.SendHeaders(fields, false) // its error is told as an event
	return nil
}

// prepare waits for the server's SETTINGS and returns the request's fields.
func (p *pendingTunnel) prepare(ctx context.Context) (fields []qpack.Field, err error) {
	c := p.client
	if err := c.settled(ctx); err != nil {
		return nil, err
	}
	if !c.machine.PeerSettings().ExtendedConnect {
		return nil, ErrNoExtendedConnect
	}
	if c.ext != nil {
		if err := c.ext.PrepareConnect(p.req); err != nil {
			return nil, err
		}
		p.prepared.Store(true)
	}
	if Protocol(p.req) == "" {
		return nil, errors.New("http3: CONNECT without a :protocol in its Header")
	}
	err = eachRequestField(p.req, false, func(name, value string) { fields = append(fields, qpack.Field{Name: name, Value: value}) })
	return fields, err
}

// abandon tells the extension that there will be no tunnel.
func (p *pendingTunnel) abandon() {
	if p.prepared.CompareAndSwap(true, false) {
		p.client.ext.AbandonConnect()
	}
}

func (p *pendingTunnel) release() {
	if p.released.CompareAndSwap(false, true) {
		p.client.transport.release(p.client)
	}
}

// wait waits for the answer.
func (p *pendingTunnel) wait(ctx context.Context) (*Tunnel, *http.Response, error) {
	select {
	case <-p.done:
	case <-p.client.qc.Done():
		select {
		case <-p.done: // it came before the end
		default:
			p.abandon()
			return nil, nil, describe(p.client.qc.Err())
		}
	case <-ctx.Done():
		cause := context.Cause(ctx)
		p.giveUp(cause)
		return nil, nil, cause
	}
	if p.err != nil {
		return nil, nil, p.err
	}
	if p.resp.StatusCode/100 == 2 {
		p.resp.Body = http.NoBody
		return p.tunnel, p.resp, nil
	}
	p.tunnel.detach()
	_ = p.tunnel.stream.Close() // there is nothing to send to who has refused
	p.tunnel.endWrite()
	p.resp.Body = &p.body
	return nil, p.resp, nil
}

// begun takes the final response.
func (p *pendingTunnel) begun(h *h3.ResponseHeader) {
	header := make(http.Header, len(h.Fields))
	addFields(header, h.Fields, nil)
	p.finish(&http.Response{
		Status: statusLine(h.Status), StatusCode: h.Status, Proto: "HTTP/3.0", ProtoMajor: 3,
		Header: header, ContentLength: h.ContentLength, Request: p.req, TLS: p.client.tls.Load(),
	}, nil)
}

// finish sets the result, once. On the loop.
func (p *pendingTunnel) finish(resp *http.Response, err error) {
	if p.resp != nil || p.err != nil {
		return
	}
	p.resp, p.err = resp, err
	if !p.accepted() {
		p.refused()
	}
	if err != nil {
		p.end(err)
	}
	close(p.done)
}

// giveUp cancels the request, whose response may just have come. Any goroutine may call
// it.
func (p *pendingTunnel) giveUp(cause error) {
	cancel(p.Ref, h3.RequestCancelled)
	p.client.Post(func() {
		if p.resp == nil {
			p.finish(nil, cause)
			return
		}
		if p.accepted() {
			p.refused()
		}
		p.end(cause)
	})
}

// accepted reports whether there is a tunnel.
func (p *pendingTunnel) accepted() bool { return p.resp != nil && p.resp.StatusCode/100 == 2 }

// refused says that there will be no tunnel. On the loop.
func (p *pendingTunnel) refused() {
	p.abandon()
	p.client.refuseTunnel(p.tunnel)
}

// end ends both directions of the stream for an error. On the loop.
func (p *pendingTunnel) end(err error) {
	p.SetHandler(nil)
	p.body.rs.Abandon()
	p.tunnel.endRead(err)
	p.tunnel.endWrite()
}
