package http3

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// clientConn is a connection to a server. It is a quic.Handler: the Handle
// methods run on the connection's loop and must not block.
type clientConn struct {
	conn
	transport *Transport
	addr      string   // of the origin it was made for
	origins   []string // which may share it, the first included; guarded by the transport's lock

	// goAway is the first request stream the server will not process.
	goAway atomic.Uint64

	// requests counts those running; gone says that the connection takes no
	// more, and ended that there is none any more. They are guarded by the
	// transport's lock.
	requests    int
	gone, ended bool
	pinned      bool      // net/http pools it, and closes it
	changed     func()    // is told when there is room for more requests; nil for nobody
	number      uint64    // in the order in which the transport's were made
	idleSince   time.Time // when there was a request last; zero if that does not matter

	// limit is how many streams the server has allowed in all, and granted how many
	// of them requests have got. Others may open streams, too, so it is possible
	// that there is less room than that.
	limit, granted uint64

	awaited awaited
}

// newClientConn is called on the loop, after the handshake.
func newClientConn(t *Transport, turn *quic.Turn, addr string) *clientConn {
	cc := &clientConn{
		conn:      conn{qc: turn.Conn(), tls: turn.TLS()},
		transport: t,
		addr:      addr,
		origins:   []string{addr},
	}
	cc.machine = h3.NewConn(h3.Config{
		Side: wire.ClientSide,
		Settings: h3.Settings{
			MaxFieldSectionSize: uint64(t.maxHeaderBytes()),
			Datagrams:           t.datagrams(),

			QPACKMaxTableCapacity: qpackTableCapacity,
			QPACKBlockedStreams:   qpackBlockedStreams,
		},
	}, cc, cc)
	cc.goAway.Store(1 << 62)
	cc.limit = turn.StreamLimit(false)
	cc.start(turn, t.extension)
	return cc
}

// HandleStream is called when the server opened a stream.
func (c *clientConn) HandleStream(t *quic.Turn, s quic.StreamRef) quic.StreamHandler {
	c.turn = t
	e := &eventStream{conn: &c.conn, ref: s}
	c.machine.HandleStream(now(t), s.ID(), e)
	return e
}

// HandleGoAway is called when the server will not process requests from id on.
func (c *clientConn) HandleGoAway(_ monotime.Time, id uint64) {
	c.noticeGoAway()
	c.goAway.Store(id)
	if !c.transport.retire(c) {
		c.close()
	}
}

// HandleInterim takes an interim response, in the goroutine of its request or, for a
// tunnel, on the loop.
func (c *clientConn) HandleInterim(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) error {
	if st, ok := rs.App.(*clientStream); ok {
		st.decideUpload(h.Status)
		return traceInterim(st.trace, h)
	}
	return nil
}

// HandleResponse takes the header of the final response, likewise.
func (c *clientConn) HandleResponse(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	switch v := rs.App.(type) {
	case *clientStream:
		v.decideUpload(h.Status)
		v.begin(h)
	case *pendingTunnel:
		v.begun(h)
	}
}

// HandleFailed says that there will be no response, likewise.
func (c *clientConn) HandleFailed(rs *h3.RequestStream, err error) {
	switch v := rs.App.(type) {
	case *clientStream:
		v.failure = err
	case *pendingTunnel:
		v.finish(nil, describe(err))
	}
}

// The rest of the machine's Handler is a server's.

// NewRequest is never called.
func (c *clientConn) NewRequest(h3.Stream) *h3.RequestStream { panic("http3: request at a client") }

// Admit is never called.
func (c *clientConn) Admit(*h3.RequestStream) h3.Admission { return h3.Busy }

// HandleRequest is never called.
func (c *clientConn) HandleRequest(monotime.Time, *h3.RequestStream, *h3.RequestHeader) {}

// HandlePriority is never called.
func (c *clientConn) HandlePriority(uint64, h3.Priority) bool { return true }

// HandleLargeSection is never called.
func (c *clientConn) HandleLargeSection(*h3.RequestStream, *h3.LargeSection) {}

// HandleLeft is never called.
func (c *clientConn) HandleLeft(monotime.Time) {}

// HandleStreamsAvailable is called when the server allows more streams.
func (c *clientConn) HandleStreamsAvailable(t *quic.Turn) {
	c.conn.HandleStreamsAvailable(t)
	c.transport.raise(c, t.StreamLimit(false))
}

// HandleClose is called when the connection has ended.
func (c *clientConn) HandleClose(t *quic.Turn, err error) {
	c.turn = t
	c.machine.HandleClose()
	c.transport.forget(c)
	c.endTunnels(t, err)
	if c.ext != nil {
		c.ext.HandleClose(t, err)
	}
}

// unopened takes back that a request was counted for which no stream was opened, and
// says why.
func (c *clientConn) unopened(ctx context.Context, err error) *attemptError {
	c.transport.unused(c)
	if ctx.Err() != nil {
		return &attemptError{cause: context.Cause(ctx), untouched: true}
	}
	c.transport.retire(c)
	return &attemptError{cause: describe(err), unprocessed: true, untouched: true}
}

// roundTrip sends a request, which has been counted, on a stream, and waits for the
// header of the response, whose Request may have another Body.
func (c *clientConn) roundTrip(req *http.Request, s *quic.Stream) (*http.Response, *attemptError) {
	st := newClientStream(c, s, keepContent(req))
	st.stop = context.AfterFunc(req.Context(), func() {
		cancel(s.Ref(), h3.RequestCancelled)
		st.body.signal()
	})
	err := st.sendRequest()
	if err == nil {
		var resp *http.Response
		if resp, err = st.awaitResponse(); err == nil {
			return resp, nil
		}
	}
	return nil, st.failed(err)
}

// failed ends a request that gets no response, and says how it failed.
func (st *clientStream) failed(err error) *attemptError {
	result := &attemptError{cause: st.explain(err), sent: st.req}
	result.own = st.upload.err.Load() != nil
	if unsent := (*unsentError)(nil); errors.As(err, &unsent) {
		result = &attemptError{cause: unsent.cause, sent: st.req, unsent: true, untouched: true}
	}
	cancel(st.stream.Ref(), h3.RequestCancelled)
	st.body.rs.Abandon()
	var reset *quic.StreamError
	switch {
	case st.req.Context().Err() != nil || result.own:
		// It is not the server's doing.
	case st.moved.Load():
		result.moved = true
	case errors.As(err, &reset):
		result.unprocessed = reset.Remote && ErrorCode(reset.Code) == ErrCodeRequestRejected
		result.busy = result.unprocessed && !st.conn.transport.isGone(st.conn)
	case isConnEnd(err):
		st.conn.transport.retire(st.conn)
		<-st.conn.qc.Done() // a GOAWAY that came along has been read then
		result.lost = true
		result.taken = st.taken(err)
		result.unprocessed = st.stream.ID() >= st.conn.goAway.Load() || st.stream.NothingSent()
	}
	st.endResponse()
	return result
}

// taken reports whether a connection has ended in such a way that the server may still
// be working on the request: it has acknowledged all of it, and was not heard of any
// more.
func (st *clientStream) taken(err error) bool {
	var idle *quic.IdleTimeoutError
	return errors.As(err, &idle) && st.acknowledged()
}

// isConnEnd reports whether err is the end of a connection that no error of this
// request has caused.
func isConnEnd(err error) bool {
	var (
		app       *quic.ApplicationError
		transport *quic.TransportError
		idle      *quic.IdleTimeoutError
		reset     *quic.StatelessResetError
	)
	return errors.As(err, &app) || errors.As(err, &transport) || errors.As(err, &idle) || errors.As(err, &reset)
}
