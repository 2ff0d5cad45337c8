package http3

import (
	"context"
	"errors"
	"net/http"

	"github.com/godwit-quic/godwit/quic/event"
)

// protocolKey is where a request's Header has the :protocol of an extended
// CONNECT, as in net/http's HTTP/2.
const protocolKey = ":protocol"

// Protocol returns the protocol that an extended CONNECT request asks for (RFC 9220), like
// "websocket", and "" for other requests. At a client it is Header[":protocol"]: see
// Transport.Connect.
func Protocol(r *http.Request) string {
	if values := r.Header[protocolKey]; len(values) > 0 && r.Method == http.MethodConnect {
		return values[0]
	}
	return ""
}

// ErrNoTunnel is the error of AcceptTunnel for requests that are not an extended
// CONNECT over HTTP/3.
var ErrNoTunnel = errors.New("http3: not an extended CONNECT request over HTTP/3")

// errResponseBegun is the error of AcceptTunnel when the handler has answered.
var errResponseBegun = errors.New("http3: the response has begun already")

// AcceptTunnel accepts an extended CONNECT request: it answers with status 200 and the
// fields of w.Header(), waits until they are buffered, and takes the request's stream from
// the handler. That may return: the tunnel lives on, but the request's context ends. Neither
// w nor the request's Body can be used any more. Like http.ResponseController, it finds the
// server's ResponseWriter below one that has an Unwrap method. The error is ErrNoTunnel for
// other requests, or that of sending the answer.
func AcceptTunnel(w http.ResponseWriter) (*Tunnel, error) { return acceptTunnel(w, http.StatusOK) }

// acceptTunnel is AcceptTunnel with a status of 200 to 299, all of which accept
// (RFC 9110, Section 9.3.6).
func acceptTunnel(w http.ResponseWriter, status int) (*Tunnel, error) {
	x, err := exchangeOf(w)
	if err != nil {
		return nil, err
	}
	return x.acceptTunnel(status)
}

// exchangeOf returns the extended CONNECT request that w answers.
func exchangeOf(w http.ResponseWriter) (*exchange, error) {
	for {
		switch v := w.(type) {
		case *responseWriter:
			return v.extended()
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return nil, ErrNoTunnel
		}
	}
}

// extended returns the exchange of an extended CONNECT request, which is nobody else's later
// on, as that of another request may be as soon as the lock is let go.
func (w *responseWriter) extended() (*exchange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isGone() || w.exchange.tunnel == nil {
		return nil, ErrNoTunnel
	}
	return w.exchange, nil
}

func (x *exchange) acceptTunnel(status int) (*Tunnel, error) {
	if err := x.rw.takeOver(status); err != nil {
		return nil, err
	}
	x.taken = true
	x.body.owner = x.tunnel
	if x.tunnelUses.Add(1) > 0 {
		x.conn.countHandlers(1) // until the tunnel ends
	}
	return x.tunnel, nil
}

// beginTunnel prepares for the acceptance of an extended CONNECT request. Its
// stream stays event-driven until somebody reads or writes it.
func (x *exchange) beginTunnel() {
	x.req.Body = tunnelBody{x.body, x}
	x.req.ContentLength = -1
	x.tunnel = x.conn.newTunnel(x.Ref, x.body, func() {
		if x.tunnelUses.Add(-1) == 0 {
			x.conn.handlerDone()
		}
	})
	x.body.rs.TakeDatagrams()
}

// endTunnel is called when the handler has returned. It reports whether the
// stream is the handler's no more.
func (x *exchange) endTunnel() (taken bool) {
	if x.tunnel != nil && !x.taken {
		x.conn.Post(func() { x.conn.refuseTunnel(x.tunnel) })
	}
	return x.taken
}

// refuseTunnel forgets a tunnel that was not accepted. On the loop.
func (c *conn) refuseTunnel(t *Tunnel) {
	c.dropTunnel(t)
	if c.ext != nil {
		c.ext.HandleRefused(c.turn, t.ref.ID())
	}
}

// tunnelBody is the content of an extended CONNECT request for handlers that do
// not call AcceptTunnel.
type tunnelBody struct {
	*body
	exchange *exchange
}

func (b tunnelBody) Read(p []byte) (int, error) {
	b.exchange.detach()
	return b.body.Read(p)
}

// takeOver sends the header of a response that accepts a tunnel.
func (w *responseWriter) takeOver(status int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isGone() || w.status != 0 {
		return errResponseBegun
	}
	w.setStatus(status)
	w.endHeader(nil, false)
	err := w.exchange.sendHead(w.out.frames)
	w.release()
	w.err = http.ErrHijacked
	return describe(err)
}

// errDetached says that a stream is the loop's no more.
var errDetached = errors.New("http3: the stream is detached")

// sendHead sends a header section that is not the last of the stream, and waits until all
// of it is buffered. That of an extended CONNECT request may be the loop's yet, and stay so.
func (x *exchange) sendHead(frames []byte) error {
	if x.tunnel != nil {
		if err := x.sendOnLoop(frames); err != errDetached {
			return err
		}
	}
	_, err := x.stream.Write(frames)
	return err
}

// sendOnLoop is sendHead for a stream that is the loop's.
func (x *exchange) sendOnLoop(frames []byte) error {
	sent := make(chan struct{})
	err := x.conn.do(func(event.Turn) error {
		if x.detached.Load() {
			return errDetached
		}
		x.tunnel.headSent = sent
		err := x.body.rs.SendFrames(frames)
		if x.body.rs.Unsent() == 0 {
			x.tunnel.tellHeadSent()
		}
		return err
	})
	if err != nil {
		return err
	}
	select {
	case <-sent:
	default:
		select { // the client gives little credit
		case <-sent:
		case <-x.Ref.Context().Done():
			return context.Cause(x.Ref.Context())
		}
	}
	if x.detached.Load() {
		x.body.rs.Flush() // somebody has begun to read the request meanwhile
	}
	return nil
}

// tellHeadSent tells who waits that the header section has left, or the stream is the
// loop's no more. On the loop.
func (t *Tunnel) tellHeadSent() {
	if t.headSent != nil {
		close(t.headSent)
		t.headSent = nil
	}
}
