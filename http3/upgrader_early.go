package http3

import (
	"context"
	"net/http"
	"sync/atomic"
)

// With early data (quic.Config.Allow0RTT) a connection is there before anybody knows whether
// its server can be reached. What is sent on it has no longer for that than others have for a
// connection: the head start.

// shaken reports whether the handshake is complete.
func (c *clientConn) shaken() bool { return c.tls.Load().HandshakeComplete }

// ready waits until a request may be sent on a connection, early or after the handshake. If
// ctx or the connection ends before, it is not counted on the connection any more.
func (a *Upgrader) ready(ctx context.Context, cc *clientConn, req *http.Request) error {
	if ctx.Err() == nil && mayBeEarly(req) {
		return nil
	}
	_, err := cc.qc.AwaitHandshake(ctx)
	if err != nil {
		a.HTTP3.unused(cc)
	}
	return err
}

// What has become of a request in early data.
const (
	undecided int32 = iota
	decidedInTime
	decidedLate
)

// hurry returns the request to be sent on a connection. If the handshake is not complete,
// that request ends when what is left of the head start is over before it is. Then over,
// to be called when it has an answer or has failed, says that it was not in time, and the
// request, which may be sent twice, is to be sent over TCP.
func (a *Upgrader) hurry(req *http.Request, cc *clientConn, origin string) (hurried *http.Request, over func(failed bool) (inTime bool)) {
	if cc.shaken() || !mayBeEarly(req) {
		return req, func(bool) bool { return true }
	}
	hurried, end := req, context.CancelCauseFunc(nil)
	watched := false
	if end, watched = exchangeEnd(req); !watched {
		hurried, end = watchCancel(req)
	}
	ctx, stop := context.WithTimeout(hurried.Context(), a.left(origin))
	var state atomic.Int32
	go func() {
		defer stop()
		if _, err := cc.qc.AwaitHandshake(ctx); err == context.DeadlineExceeded && state.CompareAndSwap(undecided, decidedLate) {
			end(errHeadStart)
		}
	}()
	return hurried, func(failed bool) bool {
		inTime := state.CompareAndSwap(undecided, decidedInTime)
		if failed && !watched {
			end(nil)
		}
		return inTime
	}
}
