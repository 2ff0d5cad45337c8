package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// h3Conn is an HTTP/3 connection as a quic.Handler. Only its loop's goroutine
// uses it, but for qc.
type h3Conn struct {
	loop    *h3Loop
	qc      *quic.Conn
	done    func(*quic.Turn, *h3Conn, *exchange, error) // a response is complete or will not come
	control quic.StreamRef
	waiting []time.Time // requests, by when they were due, that the peer's limit of streams keeps back
	idle    []*exchange // to be used again
	running int
}

// HandleTurn implements quic.TurnHandler: there are no goroutines.
func (c *h3Conn) HandleTurn(*quic.Turn) bool { return false }

// exchange is a request and its response.
type exchange struct {
	conn   *h3Conn
	due    time.Time // when the request should have left
	reader h3.MessageReader
	size   int // of the content so far, in bytes
}

// maxHeader bounds a response's header section, in bytes.
const maxHeader = 16 << 10

// start opens the control stream with SETTINGS.
func (c *h3Conn) start(t *quic.Turn) {
	s, err := t.Open(true, nil)
	if err != nil {
		return // HandleStreamsAvailable follows
	}
	c.control = s
	state := h3.NewState(wire.ClientSide, h3.Settings{MaxFieldSectionSize: maxHeader})
	// What is wrong with it comes to HandleClose.
	_, _ = t.Write(s, state.AppendControlStream(nil, rand.Uint64()))
}

// send sends a request that is due, as soon as the peer allows the stream.
func (c *h3Conn) send(t *quic.Turn, due time.Time) {
	if len(c.waiting) > 0 || !c.trySend(t, due) {
		c.waiting = append(c.waiting, due)
	}
}

// trySend returns false if the peer allows no stream now.
func (c *h3Conn) trySend(t *quic.Turn, due time.Time) bool {
	ex := c.newExchange()
	s, err := t.Open(false, ex)
	if err != nil {
		c.idle = append(c.idle, ex)
		return !errors.Is(err, quic.ErrStreamLimit) // HandleClose tells of the rest
	}
	ex.due, ex.size = due, 0
	ex.reader = h3.NewMessageReader(wire.ClientSide, maxHeader)
	ex.reader.ExpectLength(int64(c.loop.opts.size))
	c.running++
	_, _ = t.WriteLast(s, c.loop.request) // reading meets the same error
	return true
}

func (c *h3Conn) newExchange() *exchange {
	n := len(c.idle)
	if n == 0 {
		return &exchange{conn: c}
	}
	ex := c.idle[n-1]
	c.idle = c.idle[:n-1]
	return ex
}

// HandleStream takes a stream of the server's: its control stream and QPACK's.
func (c *h3Conn) HandleStream(*quic.Turn, quic.StreamRef) quic.StreamHandler { return ignored{c.loop} }

// ignored is a stream of the server's: SETTINGS and the like make no difference.
type ignored struct{ loop *h3Loop }

func (i ignored) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	for n := 1; n > 0; {
		n, _ = t.Read(s, i.loop.buf[:])
	}
}

func (ignored) HandleWritable(*quic.Turn, quic.StreamRef)      {}
func (ignored) HandleEnd(*quic.Turn, quic.StreamRef, quic.End) {}

// HandleReadable reads what has come of a response.
func (ex *exchange) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	c := ex.conn
	for {
		n, err := t.Read(s, c.loop.buf[:])
		if feedErr := c.feed(ex, c.loop.buf[:n]); feedErr != nil {
			err = feedErr
			s.CancelRead(uint64(h3.MessageError))
		}
		switch {
		case err == io.EOF:
			c.finish(t, s, ex, ex.reader.Finish())
			return
		case err != nil:
			c.finish(t, s, ex, fmt.Errorf("stream %d: %w", s.ID(), err))
			return
		case n == 0:
			return
		}
	}
}

// feed takes the next bytes of a response.
func (c *h3Conn) feed(ex *exchange, b []byte) error {
	for len(b) > 0 {
		p, n, err := ex.reader.Next(b)
		if err != nil {
			return err
		}
		b = b[n:]
		switch p.Kind {
		case h3.PieceHeaders:
			if err := c.loop.checkHeader(p.Bytes); err != nil {
				return err
			}
		case h3.PieceData:
			ex.size += len(p.Bytes)
			c.loop.meter.bytes.Add(int64(len(p.Bytes)))
		}
	}
	return nil
}

// finish ends an exchange.
func (c *h3Conn) finish(t *quic.Turn, s quic.StreamRef, ex *exchange, err error) {
	t.Release(s)
	c.running--
	c.done(t, c, ex, err)
	c.idle = append(c.idle, ex)
}

// HandleWritable is called for requests that were cancelled.
func (ex *exchange) HandleWritable(*quic.Turn, quic.StreamRef) {}

// HandleEnd does nothing: reading has shown the end, and released the stream.
func (ex *exchange) HandleEnd(*quic.Turn, quic.StreamRef, quic.End) {}

// HandleStreamsAvailable sends what has waited.
func (c *h3Conn) HandleStreamsAvailable(t *quic.Turn) {
	if c.control == (quic.StreamRef{}) {
		c.start(t)
	}
	for len(c.waiting) > 0 && c.trySend(t, c.waiting[0]) {
		c.waiting = c.waiting[1:]
	}
}

// HandleClose ends what is running.
func (c *h3Conn) HandleClose(t *quic.Turn, err error) {
	for range c.running + len(c.waiting) {
		c.done(t, c, new(exchange), fmt.Errorf("the connection ended: %w", err))
	}
	c.running, c.waiting = 0, nil
}
