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
	rw *responseWriter // whose exchange may be another's once the request is over

	mu       sync.Mutex
	finished error         // why the request is over, nil before
	parts    *contextParts // nil without any
}

// contextParts is what few requests' contexts have.
type contextParts struct {
	base   context.Context // what it derives from; nil for nothing
	inner  context.Context // nil until made
	cancel context.CancelCauseFunc
	unhook func() bool // from the stream's context; nil when it was not asked
	taken  error       // the client has taken its request back; nil if it has not
}

var _ context.Context = (*requestContext)(nil)

// needParts returns c's parts. The lock is held.
func (c *requestContext) needParts() *contextParts {
	if c.parts == nil {
		c.parts = new(contextParts)
	}
	return c.parts
}

// setBase says what c derives from, nil for nothing. Nobody has c yet.
func (c *requestContext) setBase(base context.Context) {
	if base != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.needParts().base = base
	}
}

// made returns the context behind c.
func (c *requestContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.needParts()
	if p.inner == nil {
		base := p.base
		if base == nil {
			base = context.Background()
		}
		p.inner, p.cancel = context.WithCancelCause(base)
		if c.finished != nil {
			p.cancel(c.finished)
		} else {
			p.watch(c.rw.exchange)
		}
	}
	return p.inner
}

// isMade reports whether anybody has looked.
func (c *requestContext) isMade() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parts != nil && c.parts.inner != nil
}

// watch ends the context with the sending half of the stream: with a reset, a
// STOP_SENDING or the connection. And it does so when the client takes its request
// back without saying that it wants no response, even though nobody reads the
// content; the code H3_NO_ERROR only says that there will be no content. The lock is
// held.
func (p *contextParts) watch(x *exchange) {
	cancel := p.cancel
	ctx := x.Ref.Context()
	if ctx.Err() != nil {
		cancel(canceledBy(describe(context.Cause(ctx))))
		return
	}
	p.unhook = context.AfterFunc(ctx, func() { cancel(canceledBy(describe(context.Cause(ctx)))) })
	if p.taken != nil {
		cancel(p.taken)
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
	p := c.needParts()
	p.taken = canceledBy(describe(reset))
	if p.cancel != nil {
		p.cancel(p.taken)
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
	p := c.parts
	if p == nil {
		return
	}
	if p.cancel != nil {
		p.cancel(cause)
	}
	if p.unhook != nil {
		p.unhook()
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
	conn := c.rw.conn
	switch key {
	case http.ServerContextKey:
		return conn.srv.httpServer()
	case ServerContextKey:
		return conn.srv
	case http.LocalAddrContextKey:
		return conn.qc.LocalAddr()
	case connContextKey{}:
		return conn.qc
	case extensionContextKey{}:
		return conn.ext
	}
	if !c.hasParent() {
		return nil
	}
	// Package context asks for its own implementation here, and needs no
	// goroutine for what derives from c when it finds one.
	return c.made().Value(key)
}

// hasParent reports whether there is another context to ask for values.
func (c *requestContext) hasParent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parts != nil && (c.parts.base != nil || c.parts.inner != nil)
}

// String says what the context belongs to.
func (c *requestContext) String() string { return "http3 request" }
