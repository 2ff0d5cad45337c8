package http3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// exchange is a request and its response at a server. Until the header section
// is complete it lives on the connection's loop, and from then on in the
// goroutine of its handler. Its memory serves other requests: what a handler may
// keep is in handed.
type exchange struct {
	h3event.Stream             // while it is the loop's
	stream         quic.Stream // once it is detached, for the handler's goroutine

	detaching sync.Once
	detached  atomic.Bool // stream can be used

	conn *serverConn
	req  *http.Request
	body *body
	*handed
	resp response

	tunnel *Tunnel        // of an extended CONNECT
	fixed  *FixedResponse // the answer, nil for the handler's
	aside  *requestHead   // a header section that a worker has decoded

	timer      *event.Timer // for the response; nil for none; of the loop's goroutine
	hasContent bool         // beyond the header section; of the loop's goroutine

	// unused says that nobody has any more use for the stream, so that its memory can
	// serve another as soon as it has ended; and reusable, which is set before, that this
	// holds for the exchange, too.
	unused   atomic.Bool
	reusable bool
	posted   bool // a function that the loop may not have called yet knows of the exchange

	takenBack *quic.StreamError // the client's reset that came before the request was given to a handler

	// tunnelUses is one more when the tunnel is taken and one less when it ends, which
	// may come first. While it is above 0 the tunnel counts as a handler.
	tunnelUses atomic.Int32

	pacing *pacing // nil without minimum rates

	enforced int64 // when timer looks at the response, as resp.deadline has it; guarded by rw.using

	taken       bool // the handler has taken the tunnel
	misdirected bool // answered with status 421
	prioritized bool // by PRIORITY_UPDATE
	special     specialFields
}

// handed is what the handler of a request is given, and may keep, with an http.Request:
// it is made for each. A test holds its size.
type handed struct {
	rw     responseWriter
	ctx    requestContext
	url    url.URL               // the request's, if that is a plain one
	values [requestValues]string // of its header, if they are few
}

func (x *exchange) ownTunnel() *Tunnel { return x.tunnel }

func (x *exchange) content() *body { return x.body }

// exchangePool has exchanges, with bodies, that no handler and no loop knows.
var exchangePool = sync.Pool{New: func() any { return &exchange{body: new(body)} }}

// recycle gives the memory of an exchange back that was answered without a
// handler, unless a dynamic table may still know it.
func (x *exchange) recycle(t event.Turn) {
	t.Release(x.Ref)
	if x.body.rs.Reusable() {
		x.empty()
	}
}

// empty makes the memory another exchange's.
func (x *exchange) empty() {
	*x.body = body{}
	*x = exchange{body: x.body}
	exchangePool.Put(x)
}

// letGo gives back the memory of the stream, of the exchange and of the body when the
// response is complete, if nothing that the handler may have kept leads to them: as soon
// as the stream has ended as well, they are another request's.
func (x *exchange) letGo() {
	if !x.body.rs.Whole() || !x.body.rs.Reusable() || x.tunnel != nil || x.resp.isTunnel || x.ctx.isMade() {
		return
	}
	x.rw.letGo()
	x.reusable = !x.posted
	x.unused.Store(true)
}

// handlerReturned ends what the handler may do with the stream's deadlines, and
// removes the temporary files of its uploads as net/http does, before anybody can
// know that it has returned.
func (x *exchange) handlerReturned() {
	x.rw.using.Lock()
	x.rw.returned = true
	x.rw.using.Unlock()
	if form := x.req.MultipartForm; form != nil {
		_ = form.RemoveAll()
	}
}

func newExchange(c *serverConn, s event.Stream) *exchange {
	x := exchangePool.Get().(*exchange)
	x.Turn, x.conn, x.Ref = &c.turn, c, s
	x.body.conn, x.body.owner, x.body.rs.App = &c.conn, x, x
	return x
}

// HandleEnd is called when the stream has ended, or the client cancels its request.
func (x *exchange) HandleEnd(t event.Turn, s event.Stream, end event.End) {
	switch {
	case end.Kind == event.PeerReset && x.Handled():
		x.Stream.HandleEnd(t, s, end)
		x.peerReset(end.Err)
	case end.Kind == event.PeerReset:
		x.peerReset(end.Err)
		if x.hasContent {
			x.body.signal() // its reader
		}
	case end.Kind == event.StreamEnded:
		x.stopTimer(t)
		x.conn.used(t)
		if x.unused.Load() {
			t.Release(s)
			if x.reusable {
				x.empty()
			}
		}
	}
}

// peerReset ends the request's context, or will as soon as there is one.
func (x *exchange) peerReset(reset *quic.StreamError) {
	if x.handed == nil {
		x.takenBack = reset
		return
	}
	x.ctx.peerReset(reset)
}

// HandleRequest has a request answered whose header is complete and well-formed.
func (c *serverConn) HandleRequest(_ monotime.Time, rs *h3.RequestStream, h *h3.RequestHeader) {
	x := rs.App.(*exchange)
	early := !c.turn.HandshakeComplete()
	if early && !isSafe(h.Method) {
		x.answer(http.StatusTooEarly)
		return
	}
	if x.fixed = c.srv.fixed(h); x.fixed != nil && x.serveFixed(h.Method) {
		x.recycle(c.turn)
		return
	}
	var head requestHead
	if x.aside != nil {
		head = *x.aside
	} else {
		head.RequestHeader = *h
	}
	var err error
	switch x.req, err = x.newRequest(&head); {
	case err == errTooManyFields:
		x.answer(http.StatusRequestHeaderFieldsTooLarge)
		return
	case err != nil:
		x.answer(http.StatusBadRequest)
		return
	}
	if early {
		x.req.Header[earlyDataKey] = []string{"1"}
	}
	if x.special&hasExpect != 0 {
		if _, unknown := expectation(x.req.Header); unknown {
			x.answer(http.StatusExpectationFailed)
			return
		}
	}
	x.hasContent = !rs.Whole()
	if h.Protocol != "" {
		x.beginTunnel()
	} else {
		x.detach()
	}
	x.rw.begin(x)
	if x.special&hasPriority != 0 {
		x.prioritize(x.req.Header)
	}
	x.startTimeouts(c.turn)
	c.countHandlers(1)
	c.woke = true
	c.workers.run(x)
}

// answer answers a request that no handler gets.
func (x *exchange) answer(status int) {
	x.unused.Store(true)
	x.body.rs.Answer(status)
}

// detach makes the stream one for goroutines, in one of them or on the loop.
func (x *exchange) detach() {
	if x.detached.Load() {
		return
	}
	if x.tunnel != nil {
		// The loop may be using it. When the connection has ended it does not.
		_ = x.conn.do(func(event.Turn) error {
			x.detaching.Do(x.detachNow)
			return nil
		})
	}
	x.detaching.Do(x.detachNow)
}

func (x *exchange) detachNow() {
	if x.tunnel != nil {
		x.tunnel.tellHeadSent()
	}
	x.stream = *x.Ref.Detach()
	x.body.detach(&x.stream)
	x.detached.Store(true)
}

// serve runs the handler, in a worker's goroutine.
func (x *exchange) serve() {
	c, returned, complete := x.conn, false, false
	defer func() {
		if !returned {
			x.handlerReturned()
			x.fail(recover())
		}
		x.ctx.finish(context.Canceled)
		if complete {
			x.letGo() // x may be another request's from now on
		}
		c.handlerDone()
	}()
	x.ctx.setBase(c.requestBase())
	handler := x.conn.srv.handler()
	if x.fixed != nil {
		handler = x.fixed
	}
	if x.req.RequestURI == "*" && x.req.Method == http.MethodOptions && !x.conn.srv.DisableGeneralOptionsHandler {
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") })
	}
	if x.isMisdirected() {
		x.misdirected = true
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMisdirectedRequest) })
	}
	handler.ServeHTTP(&x.rw, x.req)
	returned = true
	x.handlerReturned()
	complete = x.finish()
}

// finish ends the exchange after its handler returned, and reports whether there is
// a complete response.
func (x *exchange) finish() bool {
	if x.endTunnel() {
		x.conn.machine.AnsweredRequest()
		return false
	}
	if x.tunnel != nil {
		x.detach() // the loop's machine is not for goroutines
	}
	err := x.body.checkEnd()
	if err != nil {
		x.rw.discard()
	}
	if err != nil || !x.rw.finish() {
		x.body.rs.Abandon()
		x.conn.machine.WastedRequest()
		cancel(x.Ref, h3.InternalError) // unless it is reset already
		return false
	}
	if x.misdirected {
		x.conn.machine.WastedRequest()
	} else {
		x.conn.machine.AnsweredRequest()
	}
	if !x.body.rs.Whole() { // whatever a handler has put in the place of its Body
		_ = x.body.Close() // the rest of the request is not wanted (RFC 9114, Section 4.1)
	}
	x.rw.enforceDeadline()
	x.rw.enforcePace()
	return true
}

// fail ends the exchange after its handler panicked or ended its goroutine.
func (x *exchange) fail(panicked any) {
	if x.endTunnel() {
		x.tunnel.kill(h3.InternalError)
	}
	x.body.rs.Abandon()
	x.rw.keepSent()
	cancel(x.Ref, h3.InternalError)
	x.rw.discard()
	if panicked == nil || panicked == http.ErrAbortHandler {
		return
	}
	stack := make([]byte, 64<<10)
	stack = stack[:runtime.Stack(stack, false)]
	x.conn.srv.logger().Error("http3: panic in a handler", "remote", x.req.RemoteAddr, "method", x.req.Method,
		"uri", x.req.RequestURI, "panic", fmt.Sprint(panicked), "stack", string(stack))
}

// handleTrailers adds the request's trailers.
func (x *exchange) handleTrailers(fields []qpack.Field) {
	x.req.Trailer = mergeTrailers(x.req.Trailer, fields)
}

// handleBodyEnd ends the request's context when the request turned out malformed, or the
// client has reset it.
func (x *exchange) handleBodyEnd(err error) error {
	if err == io.EOF || err == http.ErrBodyReadAfterClose {
		return err
	}
	described := describe(err)
	x.ctx.finish(canceledBy(described))
	return described
}

func (x *exchange) closeCode() h3.ErrorCode { return h3.NoError }
