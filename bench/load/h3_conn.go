package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// h3Conn is an HTTP/3 connection: package h3's machine, as an event.Handler. Only its
// loop's goroutine uses it, but for qc.
type h3Conn struct {
	loop    *h3Loop
	qc      *quic.Conn
	machine *h3.Conn
	turn    event.Turn                                  // of the callback under way
	done    func(event.Turn, *h3Conn, *exchange, error) // a response is complete or will not come
	waiting []time.Time                                 // requests, by when they were due, that the peer's limit of streams keeps back
	idle    []*exchange                                 // to be used again
	running int
}

// newH3Conn returns a connection that has sent SETTINGS.
func newH3Conn(t event.Turn, l *h3Loop, done func(event.Turn, *h3Conn, *exchange, error)) *h3Conn {
	c := &h3Conn{loop: l, qc: t.Conn(), turn: t, done: done}
	c.machine = h3.NewConn(h3.Config{Side: wire.ClientSide, Settings: h3.Settings{MaxFieldSectionSize: maxHeader}}, c, c)
	c.machine.Start(rand.Uint64())
	return c
}

// HandleTurn implements event.TurnHandler: there are no goroutines.
func (c *h3Conn) HandleTurn(event.Turn) bool { return false }

// exchange is a request and its response.
type exchange struct {
	h3event.Stream
	request h3.RequestStream
	due     time.Time // when the request should have left
	size    int       // of the content so far, in bytes
}

// maxHeader bounds a response's header section, in bytes.
const maxHeader = 16 << 10

// send sends a request that is due, as soon as the peer allows the stream.
func (c *h3Conn) send(t event.Turn, due time.Time) {
	if len(c.waiting) > 0 || !c.trySend(t, due) {
		c.waiting = append(c.waiting, due)
	}
}

// trySend returns false if the peer allows no stream now.
func (c *h3Conn) trySend(t event.Turn, due time.Time) bool {
	c.turn = t
	ex := c.newExchange()
	s, err := t.Open(false, ex)
	if err != nil {
		c.idle = append(c.idle, ex)
		return !errors.Is(err, event.ErrStreamLimit) // HandleClose tells of the rest
	}
	ex.Ref, ex.due, ex.size = s, due, 0
	c.running++
	c.machine.BeginRequest(&ex.request, s.ID(), ex, "GET", false)
	_, _ = t.WriteLast(s, c.loop.request) // reading meets the same error
	return true
}

func (c *h3Conn) newExchange() *exchange {
	n := len(c.idle)
	if n == 0 {
		ex := &exchange{Stream: h3event.Stream{Turn: &c.turn}}
		ex.request.App = ex
		return ex
	}
	ex := c.idle[n-1]
	c.idle = c.idle[:n-1]
	return ex
}

// HandleStream takes a stream of the server's: its control stream and QPACK's.
func (c *h3Conn) HandleStream(t event.Turn, s event.Stream) event.StreamHandler {
	c.turn = t
	e := &h3event.Stream{Turn: &c.turn, Ref: s}
	c.machine.HandleStream(h3event.Now(t), s.ID(), e)
	return e
}

// HandleResponse takes a response's header.
func (c *h3Conn) HandleResponse(at monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	if h.Status != 200 {
		rs.Cancel(h3.RequestCancelled)
		c.finish(rs, fmt.Errorf("the response is %d", h.Status))
		return
	}
	c.HandleContent(at, rs)
}

// HandleContent takes what has come of a response's content.
func (c *h3Conn) HandleContent(_ monotime.Time, rs *h3.RequestStream) {
	ex := rs.App.(*exchange)
	for {
		n, err := rs.Read(c.loop.buf[:])
		ex.size += n
		c.loop.meter.bytes.Add(int64(n))
		switch {
		case err == io.EOF && ex.size == c.loop.opts.size:
			c.finish(rs, nil)
			return
		case err == io.EOF:
			c.finish(rs, fmt.Errorf("the response has %d bytes of content instead of %d", ex.size, c.loop.opts.size))
			return
		case err != nil:
			c.finish(rs, fmt.Errorf("stream %d: %w", rs.ID(), err))
			return
		case n == 0:
			return
		}
	}
}

// HandleFailed is called when there is no response.
func (c *h3Conn) HandleFailed(rs *h3.RequestStream, err error) {
	c.finish(rs, fmt.Errorf("stream %d: %w", rs.ID(), err))
}

// finish ends an exchange.
func (c *h3Conn) finish(rs *h3.RequestStream, err error) {
	ex := rs.App.(*exchange)
	ex.SetHandler(nil)
	c.turn.Release(ex.Ref)
	c.running--
	c.done(c.turn, c, ex, err)
	if rs.Reusable() {
		c.idle = append(c.idle, ex)
	}
}

// HandleStreamsAvailable sends what has waited.
func (c *h3Conn) HandleStreamsAvailable(t event.Turn) {
	c.turn = t
	c.machine.HandleStreamsAvailable(h3event.Now(t))
	for len(c.waiting) > 0 && c.trySend(t, c.waiting[0]) {
		c.waiting = c.waiting[1:]
	}
}

// HandleClose ends what is running.
func (c *h3Conn) HandleClose(t event.Turn, err error) {
	c.machine.HandleClose()
	for range c.running + len(c.waiting) {
		c.done(t, c, new(exchange), fmt.Errorf("the connection ended: %w", err))
	}
	c.running, c.waiting = 0, nil
}
