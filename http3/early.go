package http3

import (
	"context"
	"errors"
	"net/http"

	"github.com/godwit-quic/godwit/quic"
)

// Early data (RFC 8470) is what a client sends before the handshake is complete, where
// quic.Config.Allow0RTT lets it. Somebody else may send it again. So clients send requests
// in it whose methods are safe and that have no content, and others once the handshake is
// complete; and servers answer others with status 425 (Too Early), which makes clients send
// them again. Handlers find "Early-Data: 1" in the header of those that they get, and may
// answer with that status, too.

// earlyDataKey is the field of RFC 8470, Section 5.1.
const earlyDataKey = "Early-Data"

// isSafe reports whether a method is safe (RFC 9110, Section 9.2.1).
func isSafe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// errTooEarly is why a request is sent again once the handshake is complete.
var errTooEarly = errors.New("http3: the server does not answer before the handshake is complete (status 425)")

// mayBeEarly reports whether a request may be sent in early data, and so twice.
func mayBeEarly(req *http.Request) bool { return isSafe(req.Method) && !hasBody(req) }

// awaitTurn waits until a request may be sent: at once if it may be sent twice. Nothing is
// sent of one whose context has ended while its connection was made, by a hook of package
// httptrace for example, that would rather have another.
func (c *clientConn) awaitTurn(req *http.Request) error {
	if ctx := req.Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if mayBeEarly(req) {
		return nil
	}
	_, err := c.qc.AwaitHandshake(req.Context())
	return err
}

// unshaken reports whether err is the end of the connection before its handshake was
// complete: then it is not known whether anybody was there. What was sent early may be sent
// again.
func (c *clientConn) unshaken(err error) bool {
	var late *quic.HandshakeTimeoutError
	var version *quic.VersionNegotiationError
	return !c.tls.Load().HandshakeComplete && (isConnEnd(err) || errors.As(err, &late) || errors.As(err, &version))
}

// unready returns how a request has failed whose turn did not come, and takes back that it
// was counted.
func (c *clientConn) unready(req *http.Request, err error) *attemptError {
	failed := &attemptError{cause: err, sent: req, untouched: true}
	if req.Context().Err() == nil {
		c.transport.retire(c)
		failed.cause, failed.unprocessed = describe(err), true
	}
	c.transport.unused(c)
	return failed
}
