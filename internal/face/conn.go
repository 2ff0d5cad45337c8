package face

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Conn is a connection, as far as both faces know it. It is part of a *quic.Conn.
type Conn struct {
	Owner Owner
	Link  *loop.Conn
	TLS   *handshake.Conn

	// Of the loop's goroutine alone; Handler does not change once the application has
	// the connection.
	Handler     any  // an event.Handler, nil for a connection without
	WantStreams bool // it waits to hear of a higher stream limit
	Woke        bool // somebody who waits on a detached stream was signalled
	turn        Turn
}

// Owner is the rest of a connection.
type Owner interface {
	// Public returns the *quic.Conn.
	Public() any
	// Err says why the connection has ended, nil as long as it has not.
	Err() error
	// PublicError returns an engine's error in package quic's terms.
	PublicError(err error) error
}

// Turn is the token that callbacks are given: see event.Turn.
type Turn struct{ conn *Conn } // nil while no callback runs

// Begin returns the token for a callback, which ends with End.
func (c *Conn) Begin() *Turn {
	c.turn.conn = c
	return &c.turn
}

// End makes the token worthless.
func (t *Turn) End() { t.conn = nil }

// Conn returns the connection, if the Turn counts.
func (t *Turn) Conn() *Conn {
	if t == nil || t.conn == nil {
		panic("quic: a Turn was used after its callback had returned")
	}
	return t.conn
}

// CheckCode panics, where the bug is and not on the loop, if an application's
// error code is no variable-length integer (RFC 9000, Section 20.2).
func CheckCode(code uint64) {
	if code > wire.MaxVarint {
		panic(fmt.Sprintf("quic: error code %#x does not fit into 62 bits", code))
	}
}

// HandleReadable is a part of loop.Handler.
func (c *Conn) HandleReadable(e *engine.Stream) {
	s := e.App.(*Stream)
	if s.is(readDetached) {
		c.Woke = true
		s.signal(&s.reading)
	}
	if s.handler == nil {
		return
	}
	t := c.Begin()
	if !s.is(readDetached) {
		Events.HandleReadable(s.handler, t, s.Ref())
	}
	s.noticeReceivingEnd(t)
	t.End()
}

// HandleWritable is a part of loop.Handler.
func (c *Conn) HandleWritable(e *engine.Stream) {
	s := e.App.(*Stream)
	if err := e.Send.Err(); err != nil && e.Sends() {
		s.sendEnded(c.Owner.PublicError(err))
	}
	if s.is(writeDetached) {
		c.Woke = true
		s.signal(&s.writing)
	}
	if s.handler == nil {
		return
	}
	t := c.Begin()
	if !s.is(writeDetached) {
		Events.HandleWritable(s.handler, t, s.Ref())
	}
	s.noticeSendingEnd(t)
	t.End()
}

// HandleSent is a part of loop.Handler.
func (c *Conn) HandleSent(e *engine.Stream) { e.App.(*Stream).sendEnded(nil) }

// HandleStreamEnded is a part of loop.Handler.
func (c *Conn) HandleStreamEnded(e *engine.Stream) {
	s := e.App.(*Stream)
	s.ended = true
	if s.handler == nil {
		s.recycle()
		return
	}
	t := c.Begin()
	Events.HandleEnd(s.handler, t, s.Ref(), End{Kind: StreamEnded}) // it may release s
	t.End()
}

// HandleStreamSettled is a part of loop.Handler.
func (c *Conn) HandleStreamSettled(e *engine.Stream) { e.App.(*Stream).recycle() }

// StreamByID names a stream that has begun, not ended and not been released; the zero Ref
// names others.
func (c *Conn) StreamByID(id wire.StreamID) Ref {
	if e := c.Link.StreamByID(id); e != nil {
		if s, ok := e.App.(*Stream); ok && !s.is(released) {
			return s.Ref()
		}
	}
	return Ref{}
}
