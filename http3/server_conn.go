package http3

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// serverConn is a client's connection. It is an event.Handler, and the Handler of package
// h3's machine: the Handle methods run on the connection's loop and must not block.
type serverConn struct {
	conn
	srv         *Server
	workers     *workers // run the handlers
	source      *clientSource
	maxHandlers int32
	handlers    atomic.Int32 // running

	lastUse time.Duration // when there was a request, of Turn.Now
	idle    *event.Timer  // for the idle time; nil without any

	due     *event.Timer  // waits for the machine's deadline; nil before the first
	dueAt   monotime.Time // when that is, 0 for never
	leaving atomic.Bool   // the connection is to end
	bye     bool          // it is about to be closed
	woke    bool          // a goroutine, since HandleTurn was called

	opening *exchange // whose stream is being told of

	remote string // the client's address, as requests have it; "" until one needs it

	base    func() context.Context      // what contexts derive from; may return nil, and block
	context atomic.Pointer[connContext] // nil before the first, and without Server.ConnContext

	strange atomic.Pointer[verdict] // of the last request for another host than that of TLS
}

func newServerConn(s *Server, t event.Turn, maxHandlers int32) *serverConn {
	c := &serverConn{
		conn:        conn{qc: t.Conn(), isServer: true},
		srv:         s,
		maxHandlers: maxHandlers,
	}
	c.tls.Store(t.TLS())
	c.machine = h3.NewConn(h3.Config{
		Side:          wire.ServerSide,
		Settings:      s.settings(),
		MaxFields:     s.maxHeaderValueCount(),
		LoopSection:   loopHeaderBytes,
		HeaderTimeout: s.headerTimeout(),
		Trace:         t.Conn().Tracer(),
	}, c, c)
	return c
}

// settings are what the server's SETTINGS say.
func (s *Server) settings() h3.Settings {
	return h3.Settings{
		MaxFieldSectionSize: uint64(s.maxHeaderBytes()),
		ExtendedConnect:     s.EnableExtendedConnect || s.extension != nil,
		Datagrams:           s.datagrams(),

		QPACKMaxTableCapacity: qpackTableCapacity,
		QPACKBlockedStreams:   qpackBlockedStreams,
	}
}

// HandleStream is called when the client opened a stream.
func (c *serverConn) HandleStream(t event.Turn, s event.Stream) event.StreamHandler {
	c.turn = t
	if isUni(s) {
		e := &h3event.Stream{Turn: &c.turn, Ref: s}
		c.machine.HandleStream(h3event.Now(t), s.ID(), e)
		return e
	}
	x := newExchange(c, s)
	c.opening = x
	c.machine.HandleStream(h3event.Now(t), s.ID(), x)
	c.opening = nil
	return x
}

// NewRequest returns the memory of a request.
func (c *serverConn) NewRequest(s h3.Stream) *h3.RequestStream {
	c.used(c.turn)
	return &s.(*exchange).body.rs
}

// HandleFailed lets the stream go when it has ended, if it is not an extension's: no
// handler knows of the request.
func (c *serverConn) HandleFailed(rs *h3.RequestStream, err error) {
	if err != h3.ErrExtension {
		rs.App.(*exchange).unused.Store(true)
	}
}

// Post calls f on the loop, later, after which the machine may have another deadline. Any
// goroutine may call it.
func (c *serverConn) Post(f func()) {
	c.conn.Post(func() {
		f()
		c.await(c.turn)
	})
}

// HandleGoAway is called when the client wants to end the connection.
func (c *serverConn) HandleGoAway(monotime.Time, uint64) { c.noticeGoAway() }

// HandleInterim and HandleResponse are a client's.
func (c *serverConn) HandleInterim(monotime.Time, *h3.RequestStream, *h3.ResponseHeader) error {
	return nil
}

// HandleResponse is described there.
func (c *serverConn) HandleResponse(monotime.Time, *h3.RequestStream, *h3.ResponseHeader) {}

// HandleTurn implements event.TurnHandler: a fixed response needs no goroutine.
func (c *serverConn) HandleTurn(t event.Turn) bool {
	c.closeIfOver(t) // the last response may have arrived
	c.await(t)
	c.workers.watch(c, t)
	woke := c.woke || c.ext != nil || c.tunnels != nil
	c.woke = false
	return woke
}

// await sets the timer for the machine's deadline.
func (c *serverConn) await(t event.Turn) {
	at := c.machine.Deadline()
	if at == c.dueAt {
		return
	}
	if c.dueAt = at; at.IsZero() {
		t.StopTimer(c.due)
		return
	}
	if c.due == nil {
		c.due = new(event.Timer)
	}
	t.SetTimer(c.due, time.Duration(at), c)
}

// HandleTimer is called when the machine's deadline has come.
func (c *serverConn) HandleTimer(t event.Turn, _ *event.Timer) {
	c.turn, c.dueAt = t, 0
	c.machine.HandleDeadline(h3event.Now(t))
	c.await(t)
}

// HandleClose is called when the connection has ended. What its streams' users
// learn of it, they learn from the streams.
func (c *serverConn) HandleClose(t event.Turn, err error) {
	c.turn = t
	c.machine.HandleClose()
	c.srv.forget(c)
	c.workers.sources.leave(c.source)
	c.workers.leave(c)
	c.endTunnels(t, err)
	if c.ext != nil {
		c.ext.HandleClose(t, err)
	}
	var app *quic.ApplicationError
	if errors.As(err, &app) && !app.Remote && ErrorCode(app.Code) != ErrCodeNoError {
		c.srv.logger().Debug("http3: closed a connection", "remote", c.qc.RemoteAddr(), "code", ErrorCode(app.Code), "reason", app.Reason)
	}
}

// HandlePathChanged is called when the client has another address.
func (c *serverConn) HandlePathChanged(event.Turn) { c.remote = "" }

// remoteAddr returns the client's address at present.
func (c *serverConn) remoteAddr() string {
	if c.remote == "" {
		c.remote = c.qc.RemoteAddr().String()
	}
	return c.remote
}
