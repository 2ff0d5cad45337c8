package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/dialtrace"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/quic"
)

// noTrace is the trace of requests that nobody traces.
var noTrace = new(httptrace.ClientTrace)

// traceOf returns the trace that package httptrace has put into a request's
// context, never nil.
func traceOf(ctx context.Context) *httptrace.ClientTrace {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		return trace
	}
	return noTrace
}

// traceDial calls dial and the hooks for connecting. A UDP socket is connected as soon
// as an address is tried; from the first of them on, QUIC does TLS's handshake. The
// resolver finds its own hooks in the context.
func traceDial(ctx context.Context, dial func(context.Context) (*quic.Conn, error)) (*quic.Conn, error) {
	trace := traceOf(ctx)
	if trace == noTrace {
		return dial(ctx)
	}
	var started atomic.Bool
	qc, err := dial(dialtrace.With(ctx, func(remote netip.AddrPort) {
		if trace.ConnectStart != nil {
			trace.ConnectStart("udp", remote.String())
		}
		if trace.ConnectDone != nil {
			trace.ConnectDone("udp", remote.String(), nil)
		}
		if started.CompareAndSwap(false, true) && trace.TLSHandshakeStart != nil {
			trace.TLSHandshakeStart()
		}
	}))
	if started.Load() && trace.TLSHandshakeDone != nil {
		var state tls.ConnectionState
		if err == nil {
			state = qc.ConnectionState()
		}
		trace.TLSHandshakeDone(state, err)
	}
	return qc, err
}

// acquireTraced is acquire between its hooks, which tell of the connection that a
// request is sent on.
func (t *Transport) acquireTraced(ctx context.Context, addr string, alone, again bool) (*clientConn, acquired, error) {
	trace := traceOf(ctx)
	if trace.GetConn != nil && !again {
		trace.GetConn(addr)
	}
	cc, how, err := t.acquire(ctx, addr, alone, again)
	if err == nil {
		gotConn(trace, cc, how)
	}
	return cc, how, err
}

// traceConn calls the hooks for a connection that was to be had, or came about for
// others.
func traceConn(ctx context.Context, addr string, cc *clientConn, how acquired) {
	trace := traceOf(ctx)
	if trace.GetConn != nil {
		trace.GetConn(addr)
	}
	gotConn(trace, cc, how)
}

func gotConn(trace *httptrace.ClientTrace, cc *clientConn, how acquired) {
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: tracedConn{cc.qc}, Reused: how.reused, WasIdle: how.idle})
	}
}

// firstByte calls the hook for the response's first byte, once.
func (st *clientStream) firstByte() {
	if !st.heard {
		st.heard = true
		st.trace.GotFirstResponseByte()
	}
}

// wantsInterim reports whether there are hooks for an interim response.
func wantsInterim(trace *httptrace.ClientTrace, status int) bool {
	return trace.Got1xxResponse != nil || status == 100 && trace.Got100Continue != nil
}

// tellInterim calls the hooks for an interim response, for which the loop waits before it
// reads the next. An error of theirs ends the request.
func (st *clientStream) tellInterim() {
	err := traceInterim(st.trace, st.waiting.interim)
	st.conn.Post(func() {
		if err != nil {
			st.end(err)
		} else {
			st.body.rs.Resume(h3event.Now(st.conn.turn))
		}
	})
}

// traceInterim tells of an interim response. The error is the hook's, for which
// the request is given up.
func traceInterim(trace *httptrace.ClientTrace, h *h3.ResponseHeader) error {
	if h.Status == 100 && trace.Got100Continue != nil {
		trace.Got100Continue()
	}
	if trace.Got1xxResponse != nil {
		header := make(map[string][]string, len(h.Fields))
		addFields(header, h.Fields, nil)
		if err := trace.Got1xxResponse(h.Status, textproto.MIMEHeader(header)); err != nil {
			return err
		}
	}
	return nil
}

// tracedConn is a connection as httptrace shows it: with addresses, and without
// a stream of bytes to read or write, which HTTP/3 has none of.
type tracedConn struct{ qc *quic.Conn }

// errTracedConn is what using a tracedConn returns.
var errTracedConn = errors.New("http3: a QUIC connection is not for reading or writing")

func (c tracedConn) LocalAddr() net.Addr              { return c.qc.LocalAddr() }
func (c tracedConn) RemoteAddr() net.Addr             { return c.qc.RemoteAddr() }
func (c tracedConn) Read([]byte) (int, error)         { return 0, errTracedConn }
func (c tracedConn) Write([]byte) (int, error)        { return 0, errTracedConn }
func (c tracedConn) SetDeadline(time.Time) error      { return errTracedConn }
func (c tracedConn) SetReadDeadline(time.Time) error  { return errTracedConn }
func (c tracedConn) SetWriteDeadline(time.Time) error { return errTracedConn }

// Close closes the connection with all its requests.
func (c tracedConn) Close() error {
	return c.qc.CloseWithError(uint64(ErrCodeNoError), "")
}

// ConnectionState returns that of the connection's handshake.
func (c tracedConn) ConnectionState() tls.ConnectionState { return c.qc.ConnectionState() }
