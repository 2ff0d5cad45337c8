package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// ErrNoExtendedConnect is the error of Connect when the server does not take
// extended CONNECT requests.
var ErrNoExtendedConnect = errors.New("http3: the server does not take extended CONNECT requests")

// ConnectPreparer is what a ConnExtension implements to complete a CONNECT request
// once the server's SETTINGS are known. An error means that the request is not
// sent.
type ConnectPreparer interface {
	// PrepareConnect is called on the goroutine of Connect.
	PrepareConnect(req *http.Request) error
	// AbandonConnect is called once when no tunnel has come of a request that
	// was prepared, on any goroutine.
	AbandonConnect()
}

// Connect sends an extended CONNECT request (RFC 9220), a request with method
// CONNECT and the protocol in Header[":protocol"], and waits for the answer. With
// a status of 2xx the result is a tunnel. Otherwise the tunnel is nil, and the
// response's Body must be read or closed. The context counts until Connect
// returns, and package httptrace's hooks in it are called up to GotConn; the
// request's Body is not used.
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
		if full = err == quic.ErrStreamLimit; full {
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
	noEvents
	conn   *clientConn
	req    *http.Request
	ref    quic.StreamRef
	body   body
	tunnel *Tunnel
	resp   *http.Response
	err    error
	done   chan struct{} // closed when resp or err is set

	blocked  *blockedHeader // waits for insertions; nil if there is none
	interim  int            // bytes of interim responses
	released atomic.Bool
	prepared atomic.Bool // by the extension, and not abandoned
}

// beginConnect sends the request. An error means that it was not sent, and the
// connection has been released, unless it is quic.ErrStreamLimit.
func (c *clientConn) beginConnect(ctx context.Context, req *http.Request) (*pendingTunnel, error) {
	p := &pendingTunnel{conn: c, req: req, done: make(chan struct{})}
	fields, err := p.prepare(ctx)
	if err == nil {
		err = c.do(func(t *quic.Turn) error { return p.begin(t, fields) })
	}
	if err != nil {
		p.abandon()
		if err != quic.ErrStreamLimit {
			c.transport.unused(c)
		}
		return nil, err
	}
	return p, nil
}

// begin sends the request on a stream. On the loop.
func (p *pendingTunnel) begin(t *quic.Turn, fields []qpack.Field) error {
	c := p.conn
	s, err := t.Open(false, p)
	if err != nil {
		return err
	}
	p.ref = s
	p.body.init(&c.conn, s.ID(), nil, min(c.maxHeader, tunnelHeaderBytes))
	if c.claims() {
		p.body.reader.Reserve(c.signal)
	}
	p.tunnel = c.newTunnel(s, &p.body, p.release)
	p.body.owner = p.tunnel
	_, _ = t.Write(s, c.appendHeaders(nil, s.ID(), fields)) // its error is told as an event
	return nil
}

// prepare waits for the server's SETTINGS and returns the request's fields.
func (p *pendingTunnel) prepare(ctx context.Context) (fields []qpack.Field, err error) {
	c := p.conn
	if err := c.settled(ctx); err != nil {
		return nil, err
	}
	if !c.peer.Load().ExtendedConnect {
		return nil, ErrNoExtendedConnect
	}
	if preparer, ok := c.ext.(ConnectPreparer); ok {
		if err := preparer.PrepareConnect(p.req); err != nil {
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
		p.conn.ext.(ConnectPreparer).AbandonConnect()
	}
}

func (p *pendingTunnel) release() {
	if p.released.CompareAndSwap(false, true) {
		p.conn.transport.release(p.conn)
	}
}

// wait waits for the answer.
func (p *pendingTunnel) wait(ctx context.Context) (*Tunnel, *http.Response, error) {
	select {
	case <-p.done:
	case <-p.conn.qc.Done():
		select {
		case <-p.done: // it came before the end
		default:
			p.abandon()
			return nil, nil, describe(p.conn.qc.Err())
		}
	case <-ctx.Done():
		cause := context.Cause(ctx)
		cancel(p.ref, h3.RequestCancelled)
		p.conn.qc.Run(func(t *quic.Turn) { p.finish(t, nil, cause) })
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

// HandleReadable reads what has arrived of the response's header.
func (p *pendingTunnel) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	switch {
	case p.resp != nil || p.err != nil:
		return
	case p.blocked != nil:
		if _, err := t.Read(s, nil); err != nil && err != io.EOF {
			p.finish(t, nil, describe(err))
		}
		return
	}
	sc := getScratch()
	defer sc.release()
	for {
		n, err := t.Read(s, sc.buf[:])
		switch {
		case !p.takePieces(t, sc, sc.buf[:n]):
			return
		case err == io.EOF:
			p.punish(t, p.body.reader.Finish())
			return
		case err != nil:
			p.finish(t, nil, describe(err))
			return
		case n == 0:
			return
		}
	}
}

// takePieces takes bytes of the stream, up to the header of the final response.
// It reports whether further bytes are wanted.
func (p *pendingTunnel) takePieces(t *quic.Turn, sc *scratch, b []byte) bool {
	for len(b) > 0 && p.resp == nil && p.err == nil && p.blocked == nil {
		piece, used, err := p.body.reader.Next(b)
		b = b[used:]
		if err == nil && piece.Kind == h3.PieceHeaders {
			err = p.handleHeader(t, sc, piece.Bytes, b)
		}
		if err == qpack.ErrBlocked {
			p.park(t, piece.Bytes, b)
			return false
		}
		if err != nil {
			p.punish(t, err)
		}
	}
	return p.resp == nil && p.err == nil && p.blocked == nil
}

// handleHeader takes a header section, and what was read beyond it.
func (p *pendingTunnel) handleHeader(t *quic.Turn, sc *scratch, section, rest []byte) error {
	fields, err := p.body.decodeNow(sc, section)
	if err != nil {
		return err
	}
	h, err := h3.ParseResponse(fields)
	if err != nil {
		return err
	}
	if h.Status < 200 {
		if p.interim += fieldsSize(fields); p.interim > p.conn.maxHeader {
			return errInterim
		}
		p.body.reader.Interim()
		return nil
	}
	header := make(http.Header, len(h.Fields))
	addFields(header, h.Fields, nil)
	p.body.pending = append([]byte(nil), rest...)
	if h.Status < 300 {
		p.body.reader.Tunnel()
	} else {
		p.body.reader.ExpectLength(h.ContentLength)
	}
	p.finish(t, &http.Response{
		Status: statusLine(h.Status), StatusCode: h.Status, Proto: "HTTP/3.0", ProtoMajor: 3,
		Header: header, ContentLength: h.ContentLength, Request: p.req, TLS: p.conn.tls,
	}, nil)
	return nil
}

// punish ends the request, or the connection, for an error.
func (p *pendingTunnel) punish(t *quic.Turn, err error) {
	code, wholeConn := h3.Code(err)
	if wholeConn {
		p.conn.abortIn(t, err)
	} else {
		cancel(p.ref, code)
	}
	p.finish(t, nil, describe(err))
}

// finish sets the result, once. On the loop.
func (p *pendingTunnel) finish(t *quic.Turn, resp *http.Response, err error) {
	if p.resp != nil || p.err != nil {
		return
	}
	p.resp, p.err, p.blocked = resp, err, nil
	if err != nil || resp.StatusCode/100 != 2 {
		p.abandon()
		p.conn.refuseTunnel(t, p.tunnel)
	}
	if err != nil {
		p.body.abandon()
		p.tunnel.endRead(err)
		p.tunnel.endWrite()
	}
	close(p.done)
}
