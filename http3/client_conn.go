package http3

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// clientConn is a connection to a server. It is an event.Handler: the Handle
// methods run on the connection's loop and must not block.
type clientConn struct {
	conn
	transport *Transport
	addr      string   // of the origin it was made for
	origins   []string // which may share it, the first included; guarded by the transport's lock

	// goAway is the first request stream the server will not process, noGoAway for none.
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
	watched     bool      // the loop looks for how long that was

	// limit is how many streams the server has allowed in all, and granted how many
	// of them requests have got. Others may open streams, too, so it is possible
	// that there is less room than that.
	limit, granted uint64

	queued      queued
	awaited     awaited
	beginQueued func(event.Turn) // beginAll
	idleTimer   event.Timer
	woke        bool // a goroutine, since HandleTurn was called
}

// noGoAway is larger than any stream ID (RFC 9000, Section 2.1).
const noGoAway = 1 << 62

// newClientConn is called on the loop, after the handshake.
func newClientConn(t *Transport, turn event.Turn, addr string) *clientConn {
	cc := &clientConn{
		conn:      conn{qc: turn.Conn()},
		transport: t,
		addr:      addr,
		origins:   []string{addr},
	}
	cc.tls.Store(turn.TLS())
	cc.machine = h3.NewConn(h3.Config{
		Side: wire.ClientSide,
		Settings: h3.Settings{
			MaxFieldSectionSize: uint64(t.maxHeaderBytes()),
			Datagrams:           t.datagrams(),

			QPACKMaxTableCapacity: qpackTableCapacity,
			QPACKBlockedStreams:   qpackBlockedStreams,
		},
		LoopSection: loopHeaderBytes,
		Trace:       turn.Conn().Tracer(),
	}, cc, cc)
	cc.beginQueued = cc.beginAll
	cc.goAway.Store(noGoAway)
	cc.limit = turn.StreamLimit(false)
	cc.start(turn, t.extension)
	return cc
}

// HandleStream is called when the server opened a stream.
func (c *clientConn) HandleStream(t event.Turn, s event.Stream) event.StreamHandler {
	c.turn = t
	e := &h3event.Stream{Turn: &c.turn, Ref: s}
	c.machine.HandleStream(h3event.Now(t), s.ID(), e)
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

// HandleTurn implements event.TurnHandler: what has arrived may be of no use to any
// goroutine yet.
func (c *clientConn) HandleTurn(event.Turn) bool {
	woke := c.woke || c.ext != nil || c.tunnels != nil
	c.woke = false
	return woke
}

// HandleInterim takes an interim response.
func (c *clientConn) HandleInterim(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) error {
	st, ok := rs.App.(*clientStream)
	if !ok {
		return nil
	}
	st.decideUpload(h.Status)
	if wantsInterim(st.trace, h.Status) {
		st.waiting.interim = &h3.ResponseHeader{Status: h.Status, ContentLength: h.ContentLength, Fields: slices.Clone(h.Fields)}
		rs.Pause()
		st.tell(newsInterim)
	}
	return nil
}

// HandleResponse takes the header of the final response.
func (c *clientConn) HandleResponse(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	switch v := rs.App.(type) {
	case *clientStream:
		v.decideUpload(h.Status)
		v.respond(h)
	case *pendingTunnel:
		v.begun(h)
	}
}

// HandleFailed says that there will be no response.
func (c *clientConn) HandleFailed(rs *h3.RequestStream, err error) {
	switch v := rs.App.(type) {
	case *clientStream:
		v.distrust(err)
		v.finish(err)
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

// HandleLeft is never called.
func (c *clientConn) HandleLeft(monotime.Time) {}

// HandleStreamsAvailable is called when the server allows more streams.
func (c *clientConn) HandleStreamsAvailable(t event.Turn) {
	c.conn.HandleStreamsAvailable(t)
	c.transport.raise(c, t.StreamLimit(false))
}

// HandleClose is called when the connection has ended.
func (c *clientConn) HandleClose(t event.Turn, err error) {
	c.turn = t
	c.machine.HandleClose()
	c.transport.forget(c)
	c.queued.take(err, func(st *clientStream) { st.finish(&unbegunError{err}) })
	c.awaited.each(func(st *clientStream) {
		st.HandleReadable(t, st.Ref) // the response may have come before
		st.finish(err)
	})
	c.endTunnels(t, err)
	if c.ext != nil {
		c.ext.HandleClose(t, err)
	}
}

// roundTrip sends a request of an origin's, which has been counted, and waits for the header
// of the response, whose Request may have another Body.
func (c *clientConn) roundTrip(req *http.Request, origin string) (*http.Response, *attemptError) {
	if err := c.awaitTurn(req); err != nil {
		return nil, c.unready(req, err)
	}
	st := newClientStream(c, keepContent(req))
	err := st.prepare()
	if err != nil {
		return nil, st.unprepared(err)
	}
	if err = c.enqueue(st); err != nil {
		return nil, st.unbegun(err)
	}
	if err = st.await(); err != nil {
		return nil, st.failed(err)
	}
	why := st.unanswered(origin)
	resp := st.deliver(why == nil)
	if why != nil {
		sent := resp.Request
		_ = resp.Body.Close()
		return nil, &attemptError{cause: why, sent: sent, unprocessed: true}
	}
	return resp, nil
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
	)
	return errors.As(err, &app) || errors.As(err, &transport) || errors.As(err, &idle) || errors.Is(err, quic.ErrStatelessReset)
}
