package http3

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// serverConn is a client's connection. It is a quic.Handler: the Handle methods
// run on the connection's loop and must not block.
type serverConn struct {
	conn
	srv         *Server
	workers     *workers // run the handlers
	source      *clientSource
	maxHeader   int // bytes
	headerHeld  int // bytes kept of header sections that are unfinished
	maxHandlers int32
	handlers    atomic.Int32 // running
	answered    atomic.Int32 // requests since account
	wasted      atomic.Int32 // requests the client cancelled, since account

	lastUse time.Duration // when there was a request, of Turn.Now
	idle    *quic.Timer   // for the idle time; nil without any

	goodbye goodbye
	leaving atomic.Bool // goodbye is not staying
	woke    bool        // a goroutine, since Woke was called

	remote string // the client's address, as requests have it; "" until one needs it

	base    func() context.Context      // what contexts derive from; may return nil, and block
	context atomic.Pointer[connContext] // nil before the first, and without Server.ConnContext

	strange atomic.Pointer[verdict] // of the last request for another host than that of TLS
}

func newServerConn(s *Server, t *quic.Turn, maxHandlers int32) *serverConn {
	maxHeader := s.maxHeaderBytes()
	settings := h3.Settings{
		MaxFieldSectionSize: uint64(maxHeader),
		ExtendedConnect:     s.EnableExtendedConnect || s.Extension != nil,
		Datagrams:           s.datagrams(),

		QPACKMaxTableCapacity: qpackTableCapacity,
		QPACKBlockedStreams:   qpackBlockedStreams,
	}
	return &serverConn{
		conn:        conn{qc: t.Conn(), tls: t.TLS(), state: h3.NewState(wire.ServerSide, settings), isServer: true, maxFields: int32(min(s.maxHeaderValueCount(), math.MaxInt32))},
		srv:         s,
		maxHeader:   maxHeader,
		maxHandlers: maxHandlers,
	}
}

// HandleStream is called when the client opened a stream.
func (c *serverConn) HandleStream(t *quic.Turn, s quic.StreamRef) quic.StreamHandler {
	if isUni(s) {
		return &clientUni{conn: c}
	}
	if err := c.account(t); err != nil {
		c.abortIn(t, err)
		return nil
	}
	x := newExchange(c, s)
	if c.claims() {
		x.signal = new(h3.VarintReader)
	} else if err := c.state.HandleRequestStream(s.ID()); err != nil {
		x.refuse(t, err)
		return x
	}
	c.used(t)
	if s.ID() > 0 && !c.encoderSettled {
		c.manyRequests = true
		c.openQPACK(t)
	}
	if c.state.HasPriorities() {
		t.Handle(s, x) // so that it is found
		c.takePriorities(t)
	}
	return x
}

// clientUni is a unidirectional stream that the client opened.
type clientUni struct {
	noEvents
	h3.UniStream
	conn *serverConn
}

func (u *clientUni) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	c := u.conn
	c.readUni(t, s, &u.UniStream)
	if c.state.HasPriorities() {
		c.takePriorities(t)
	}
}

// HandleTurn implements quic.TurnHandler: a fixed response needs no goroutine.
func (c *serverConn) HandleTurn(t *quic.Turn) bool {
	c.closeIfOver(t) // the last response may have arrived
	woke := c.woke || c.ext != nil || c.tunnels != nil
	c.woke = false
	return woke
}

// HandleClose is called when the connection has ended. What its streams' users
// learn of it, they learn from the streams.
func (c *serverConn) HandleClose(t *quic.Turn, err error) {
	c.srv.forget(c)
	c.workers.sources.leave(c.source)
	c.endTunnels(t, err)
	if c.ext != nil {
		c.ext.HandleClose(t, err)
	}
	var app *quic.ApplicationError
	if errors.As(err, &app) && !app.Remote && ErrorCode(app.Code) != ErrCodeNoError {
		c.srv.logger().Debug("http3: closed a connection", "remote", c.qc.RemoteAddr(), "code", ErrorCode(app.Code), "reason", app.Reason)
	}
}

// account counts what handlers' goroutines have noted since the last time.
func (c *serverConn) account(t *quic.Turn) error {
	for range take(&c.answered) {
		c.state.HandleRequestDone()
	}
	for range take(&c.wasted) {
		if err := c.state.HandleWaste(now(t)); err != nil {
			return err
		}
	}
	return nil
}

// take returns the value of a counter and sets it to 0. It writes only if it has to:
// that is dear when other processors count.
func take(counter *atomic.Int32) int32 {
	if counter.Load() == 0 {
		return 0
	}
	return counter.Swap(0)
}

// waste notes a request that cost something and is of no use to anybody.
func (c *serverConn) waste(t *quic.Turn) {
	if err := c.state.HandleWaste(now(t)); err != nil {
		c.abortIn(t, err)
	}
}

// refuse ends a request, or the connection, for an error.
func (c *serverConn) refuse(t *quic.Turn, s quic.StreamRef, err error) {
	code, wholeConn := h3.Code(err)
	if wholeConn {
		c.abortIn(t, err)
		return
	}
	cancel(s, code)
}

// HandlePathChanged is called when the client has another address.
func (c *serverConn) HandlePathChanged(*quic.Turn) { c.remote = "" }

// remoteAddr returns the client's address at present.
func (c *serverConn) remoteAddr() string {
	if c.remote == "" {
		c.remote = c.qc.RemoteAddr().String()
	}
	return c.remote
}
