package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// exchange is a request and its response at a server. Until the header section
// is complete it lives on the connection's loop, and from then on in the
// goroutine of its handler.
type exchange struct {
	conn   *serverConn
	ref    quic.StreamRef
	stream quic.Stream // once it is detached, for the handler's goroutine

	detached sync.Once

	req    *http.Request
	url    url.URL               // the request's, if that is a plain one
	values [requestValues]string // of its header, if they are few
	body   *body
	ctx    requestContext
	rw     responseWriter

	signal *h3.VarintReader // nil once it is clear that the stream is a request
	tunnel *Tunnel          // of an extended CONNECT
	fixed  *FixedResponse   // the answer, nil for the handler's

	blocked *blockedHeader // the header section waits for insertions; nil if it does not
	timer   *quic.Timer    // for the rest of the header section, or the response; nil for none
	reading bool           // the header section is awaited; of the loop's goroutine

	// unused says that nobody has any more use for the stream, so that its memory can
	// serve another as soon as it has ended.
	unused atomic.Bool

	// tunnelUses is one more when the tunnel is taken and one less when it ends, which
	// may come first. While it is above 0 the tunnel counts as a handler.
	tunnelUses atomic.Int32

	pacing *pacing // nil without minimum rates

	using    sync.Mutex // held by who sets deadlines of the stream at any time
	returned bool       // the handler has: nobody may set deadlines; guarded by using
	enforced int64      // when timer looks at the response, as rw.deadline has it; guarded by using

	taken       bool // the handler has taken the tunnel
	misdirected bool // answered with status 421
	prioritized bool // by PRIORITY_UPDATE
	waited      bool // for the header section: somebody may still come back to it
	special     specialFields
	headerHeld  int // bytes of the header section, before a handler has them
}

// exchangePool has exchanges that no handler has seen.
var exchangePool = sync.Pool{New: func() any { return new(exchange) }}

// bodyPool has the bodies of requests that had none, which no handler sees either.
var bodyPool = sync.Pool{New: func() any { return new(body) }}

// recycle gives the memory of an exchange back that was answered without a
// handler, unless a timer or a dynamic table may still know it.
func (x *exchange) recycle(t *quic.Turn) {
	t.Release(x.ref)
	if x.waited {
		return
	}
	*x.body = body{}
	*x = exchange{body: x.body}
	exchangePool.Put(x)
}

// letGo gives back the memory of the stream and of the body when the response is
// complete, if nothing that the handler may have kept leads to them. The rest of an
// exchange is a ResponseWriter and a context, for which handlers may have a use.
func (x *exchange) letGo() {
	if !x.body.whole || x.waited || x.tunnel != nil || x.rw.isTunnel || x.ctx.isMade() {
		return
	}
	x.unused.Store(true)
	*x.body = body{}
	bodyPool.Put(x.body)
	x.body = nil
}

// setDeadline sets a deadline of the stream, unless the handler has returned.
func (x *exchange) setDeadline(set func(*quic.Stream) error) error {
	x.using.Lock()
	defer x.using.Unlock()
	if x.returned {
		return errHandlerReturned
	}
	return set(&x.stream)
}

// handlerReturned ends what the handler may do with the stream's deadlines, and
// removes the temporary files of its uploads as net/http does, before anybody can
// know that it has returned.
func (x *exchange) handlerReturned() {
	x.using.Lock()
	x.returned = true
	x.using.Unlock()
	if form := x.req.MultipartForm; form != nil {
		_ = form.RemoveAll()
	}
}

func newExchange(c *serverConn, s quic.StreamRef) *exchange {
	x := exchangePool.Get().(*exchange)
	x.conn, x.ref, x.reading = c, s, true
	if x.body == nil {
		x.body = bodyPool.Get().(*body)
	}
	x.body.init(&c.conn, s.ID(), x, c.maxHeader)
	x.ctx.exchange = x
	if c.claims() {
		x.body.reader.Reserve(c.signal)
	}
	return x
}

// HandleReadable is called while the stream is the loop's.
func (x *exchange) HandleReadable(t *quic.Turn, _ quic.StreamRef) {
	if x.reading {
		x.readHeader(t)
	}
}

// HandleWritable does nothing: what the loop writes fits.
func (x *exchange) HandleWritable(*quic.Turn, quic.StreamRef) {}

// HandleEnd is called when the stream has ended, or the client cancels its request.
func (x *exchange) HandleEnd(t *quic.Turn, s quic.StreamRef, end quic.End) {
	switch {
	case end.Kind == quic.PeerReset && x.reading:
		x.abandon(t) // there is no point in waiting for the rest
	case end.Kind == quic.PeerReset:
		x.ctx.peerReset(end.Err)
	case end.Kind == quic.StreamEnded:
		x.stopTimer(t)
		x.conn.used(t)
		if x.unused.Load() {
			t.Release(s)
		}
	}
}

// readHeader reads what has arrived of the header section.
func (x *exchange) readHeader(t *quic.Turn) {
	switch {
	case x.blocked != nil:
		x.checkBlocked(t)
		return
	case x.signal != nil && !x.readSignal(t):
		return
	}
	sc := getScratch()
	defer sc.release()
	for {
		n, err := t.Read(x.ref, sc.buf[:])
		for b := sc.buf[:n]; len(b) > 0; {
			piece, used, err := x.body.reader.Next(b)
			b = b[used:]
			switch {
			case err != nil:
				x.refuse(t, err)
				return
			case piece.Kind == h3.PieceHeaders:
				x.begin(t, sc, piece.Bytes, b)
				return
			}
		}
		switch {
		case err == io.EOF:
			x.refuse(t, x.body.reader.Finish())
			return
		case err != nil:
			x.abandon(t)
			return
		case n == 0:
			if !x.holdHeader(t, x.body.reader.Held()) {
				x.reject(t)
				return
			}
			x.awaitHeader(t)
			return
		}
	}
}

// begin starts the handler, given the encoded header section and what was read
// beyond it.
func (x *exchange) begin(t *quic.Turn, sc *scratch, section, rest []byte) {
	if x.conn.handlers.Load() >= x.conn.maxHandlers {
		x.abandon(t) // there is no point in reading it
		return
	}
	if !x.conn.mayHandle() {
		x.reject(t)
		return
	}
	var head requestHead
	switch err := x.readHead(sc, section, loopHeaderBytes, &head); {
	case err == qpack.ErrBlocked:
		x.park(t, section, rest)
	case err == h3.ErrSectionTooLarge && x.body.reader.MaxSection() > loopHeaderBytes:
		x.readAside(t, section, rest)
	case err != nil:
		x.refuse(t, err)
	default:
		x.accept(t, sc, &head, rest)
	}
}

// accept has a request answered whose header is complete and well-formed, given what
// was read beyond it.
func (x *exchange) accept(t *quic.Turn, sc *scratch, header *requestHead, rest []byte) {
	x.headerArrived(t)
	if err := x.conn.checkExtended(&header.RequestHeader); err != nil {
		x.refuse(t, err)
		return
	}
	x.body.reader.ExpectLength(header.ContentLength)
	if header.Method == http.MethodConnect {
		x.body.reader.Tunnel()
	}
	x.body.pending = append([]byte(nil), rest...)
	if err := x.lookForEnd(t, sc.buf[:]); err != nil {
		x.abandon(t)
		return
	}
	if x.body.ended && len(x.body.pending) == 0 {
		// The header section is all of the request.
		if err := x.body.reader.Finish(); err != nil {
			x.refuse(t, err)
			return
		}
		x.body.whole = true
	}
	if x.fixed = x.conn.srv.fixed(&header.RequestHeader); x.fixed != nil && x.serveFixed(t, header.Method) {
		x.recycle(t)
		return
	}
	var err error
	switch x.req, err = x.newRequest(header); {
	case err == errTooManyFields:
		x.refuse(t, err)
		return
	case err != nil:
		x.answer(t, http.StatusBadRequest)
		return
	}
	if x.special&hasExpect != 0 {
		if _, unknown := expectation(x.req.Header); unknown {
			x.answer(t, http.StatusExpectationFailed)
			return
		}
	}
	x.reading = false
	if header.Protocol != "" {
		x.beginTunnel()
	} else {
		x.detach()
	}
	x.rw.begin(x)
	if x.special&hasPriority != 0 {
		x.prioritize(x.req.Header)
	}
	x.startTimeouts(t)
	x.conn.countHandlers(1)
	x.conn.woke = true
	x.conn.workers.run(x)
}

// detach makes the stream one for goroutines. Any goroutine may call it, and again.
func (x *exchange) detach() {
	x.detached.Do(func() {
		x.stream = *x.ref.Detach()
		x.body.stream = &x.stream
	})
}

// lookForEnd reads on without waiting, up to the size of buf, so that a small
// request is known to be complete before its handler starts. The error is that
// of a reset.
func (x *exchange) lookForEnd(t *quic.Turn, buf []byte) error {
	for len(x.body.pending) < len(buf) {
		n, err := t.Read(x.ref, buf)
		x.body.pending = append(x.body.pending, buf[:n]...)
		switch {
		case err == io.EOF:
			x.body.ended = true
			return nil
		case err != nil || n == 0:
			return err
		}
	}
	return nil
}

// refuse ends the request before a handler has seen it.
func (x *exchange) refuse(t *quic.Turn, err error) {
	if errors.Is(err, h3.ErrSectionTooLarge) {
		x.answer(t, http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	x.giveUp(t)
	x.conn.refuse(t, x.ref, err)
	x.conn.waste(t)
}

// abandon rejects the request, which no handler has seen: the client has reset
// it, or keeps too many handlers busy.
func (x *exchange) abandon(t *quic.Turn) {
	x.giveUp(t)
	cancel(x.ref, h3.RequestRejected)
	x.conn.waste(t)
}

// answer sends a response without a handler. It does not block.
func (x *exchange) answer(t *quic.Turn, status int) {
	x.giveUp(t)
	b, mark := h3.BeginHeaders(make([]byte, 0, 64))
	b = appendStatus(b, status)
	b = qpack.AppendField(b, "content-length", "0")
	_, _ = t.WriteLast(x.ref, h3.EndHeaders(b, mark))
	x.ref.CancelRead(uint64(h3.NoError)) // RFC 9114, Section 4.1
	x.conn.waste(t)
}

// serve runs the handler, in a worker's goroutine.
func (x *exchange) serve() {
	returned, complete := false, false
	defer func() {
		if !returned {
			x.handlerReturned()
			x.fail(recover())
		}
		x.ctx.finish(context.Canceled)
		if complete {
			x.letGo()
		}
		x.conn.handlerDone()
	}()
	x.ctx.base = x.conn.requestBase()
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
		x.conn.answered.Add(1)
		return false
	}
	err := x.body.checkEnd()
	if err != nil {
		x.rw.discard()
	}
	if err != nil || !x.rw.finish() {
		x.body.abandon()
		x.conn.wasted.Add(1)
		cancel(x.ref, h3.InternalError) // unless it is reset already
		return false
	}
	if x.misdirected {
		x.conn.wasted.Add(1)
	} else {
		x.conn.answered.Add(1)
	}
	if x.req.Body != http.NoBody {
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
	x.body.abandon()
	x.rw.keepSent()
	cancel(x.ref, h3.InternalError)
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

// handleBodyEnd resets a request that turned out malformed, and closes the
// connection when the client broke the protocol.
func (x *exchange) handleBodyEnd(err error) error {
	if err == io.EOF || err == http.ErrBodyReadAfterClose {
		return err
	}
	described := describe(err)
	var violation *h3.StreamError
	switch code, wholeConn := h3.Code(err); {
	case wholeConn:
		x.conn.abort(err)
	case errors.As(err, &violation) || errors.Is(err, h3.ErrSectionTooLarge):
		cancel(x.ref, code)
	}
	x.ctx.finish(canceledBy(described))
	return described
}

func (x *exchange) closeCode() h3.ErrorCode { return h3.NoError }
