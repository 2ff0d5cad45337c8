package http3

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// requestContext is the context of a request at a server. It ends when the
// handler has returned, and when the client cancels the request or the
// connection ends. Most handlers never look; so the parts are made when they are
// first asked for.
type requestContext struct {
	exchange *exchange
	base     context.Context // what it derives from; nil for nothing

	mu       sync.Mutex
	inner    context.Context // nil until made
	cancel   context.CancelCauseFunc
	unhook   func() bool // from the stream's context; nil when it was not asked
	finished error       // why the request is over, nil before
	taken    error       // the client has taken its request back; nil if it has not
}

var _ context.Context = (*requestContext)(nil)

// made returns the context behind c.
func (c *requestContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		base := c.base
		if base == nil {
			base = context.Background()
		}
		c.inner, c.cancel = context.WithCancelCause(base)
		if c.finished != nil {
			c.cancel(c.finished)
		} else {
			c.watch()
		}
	}
	return c.inner
}

// isMade reports whether anybody has looked.
func (c *requestContext) isMade() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inner != nil
}

// watch ends the context with the sending half of the stream: with a reset, a
// STOP_SENDING or the connection. And it does so when the client takes its request
// back without saying that it wants no response, even though nobody reads the
// content; the code H3_NO_ERROR only says that there will be no content. The lock is
// held.
func (c *requestContext) watch() {
	cancel := c.cancel
	ctx := c.exchange.Ref.Context()
	if ctx.Err() != nil {
		cancel(canceledBy(describe(context.Cause(ctx))))
		return
	}
	c.unhook = context.AfterFunc(ctx, func() { cancel(canceledBy(describe(context.Cause(ctx)))) })
	if c.taken != nil {
		cancel(c.taken)
	}
}

// peerReset ends the context of a request that the client takes back, and about which
// it says more than that there will be no further content.
func (c *requestContext) peerReset(reset *quic.StreamError) {
	if ErrorCode(reset.Code) == ErrCodeNoError {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = canceledBy(describe(reset))
	if c.cancel != nil {
		c.cancel(c.taken)
	}
}

// finish ends the context: the handler has returned, or the client has reset the
// request. The first cause counts.
func (c *requestContext) finish(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished == nil {
		c.finished = cause
	}
	if c.cancel != nil {
		c.cancel(cause)
	}
	if c.unhook != nil {
		c.unhook()
	}
}

// Deadline returns false: requests have no deadline of their own.
func (c *requestContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the request is over or not wanted any more.
func (c *requestContext) Done() <-chan struct{} { return c.made().Done() }

// Err returns context.Canceled once Done is closed.
func (c *requestContext) Err() error { return c.made().Err() }

// Value returns the server for http.ServerContextKey and ServerContextKey, its address
// for http.LocalAddrContextKey, the connection for RequestConn, and what the user's
// contexts have.
func (c *requestContext) Value(key any) any {
	switch key {
	case http.ServerContextKey:
		return c.exchange.conn.srv.httpServer()
	case ServerContextKey:
		return c.exchange.conn.srv
	case http.LocalAddrContextKey:
		return c.exchange.conn.qc.LocalAddr()
	case connContextKey{}:
		return c.exchange.conn.qc
	case extensionContextKey{}:
		return c.exchange.conn.ext
	}
	if c.base != nil {
		return c.made().Value(key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		return nil
	}
	// Package context asks for its own implementation here, and needs no
	// goroutine for what derives from c when it finds one.
	return c.inner.Value(key)
}

// String says what the context belongs to.
func (c *requestContext) String() string { return "http3 request" }
