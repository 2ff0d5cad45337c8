package http3

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic"
)

// conn is what both roles have in common: the control streams of a connection.
// Its methods run on the connection's loop, unless they say otherwise.
type conn struct {
	qc      *quic.Conn
	tls     *tls.ConnectionState
	state   *h3.State
	control quic.StreamRef // this end's; none while the peer does not allow it
	unsent  []byte         // of the control stream

	qpack          atomic.Pointer[qpackStreams] // made when they are needed
	encoderSettled bool                         // whether there is a dynamic table for sending
	manyRequests   bool                         // the client has sent more than one

	isServer      bool
	toldGoAway    bool                        // the extension knows of a GOAWAY
	maxFields     int32                       // of a section, 0 for any number
	peer          atomic.Pointer[h3.Settings] // the peer's; nil before they arrived
	awaitSettings []func()                    // called when they do
	tunnels       map[uint64]*Tunnel          // by stream ID
	early         *earlyDatagrams             // nil before the first
	datagramBytes atomic.Int64                // received datagrams that wait

	ext    ConnExtension // nil for none
	signal h3.FrameType  // of the extension's streams, 0 for none
}

// start sends SETTINGS, or has them sent once the peer allows a stream.
func (c *conn) start(t *quic.Turn, e Extension) {
	c.extend(e)
	c.unsent = c.state.AppendControlStream(nil, rand.Uint64())
	c.flushControl(t)
}

// sendControl sends frames on the control stream.
func (c *conn) sendControl(t *quic.Turn, frames []byte) {
	c.unsent = append(c.unsent, frames...)
	c.flushControl(t)
}

// flushControl writes what the control stream takes now. It is to be called
// again when the stream can be opened or written to.
func (c *conn) flushControl(t *quic.Turn) {
	if c.control == (quic.StreamRef{}) {
		s, err := t.Open(true, controlStream{conn: c})
		if err != nil {
			return // HandleStreamsAvailable or HandleClose follows
		}
		c.control = s
	}
	// Even with nothing to send: the error is that of a STOP_SENDING, which
	// must not come (RFC 9114, Section 6.2.1).
	n, err := t.Write(c.control, c.unsent)
	switch {
	case streamClosed(err):
		c.abortIn(t, &h3.ConnError{Code: h3.ClosedCriticalStream, Reason: "peer stopped reading the control stream"})
		return
	case err != nil:
		return
	}
	if c.unsent = c.unsent[n:]; len(c.unsent) == 0 {
		c.unsent = nil
	}
}

// HandleStreamsAvailable is called when the peer allows more streams.
func (c *conn) HandleStreamsAvailable(t *quic.Turn) {
	c.flushControl(t)
	c.openQPACK(t)
}

// noEvents is the part of a quic.StreamHandler that does nothing.
type noEvents struct{}

func (noEvents) HandleReadable(*quic.Turn, quic.StreamRef)      {}
func (noEvents) HandleWritable(*quic.Turn, quic.StreamRef)      {}
func (noEvents) HandleEnd(*quic.Turn, quic.StreamRef, quic.End) {}

// controlStream is this end's control stream.
type controlStream struct {
	noEvents
	conn *conn
}

func (s controlStream) HandleWritable(t *quic.Turn, _ quic.StreamRef) { s.conn.flushControl(t) }

// readUni reads what has arrived on a unidirectional stream of the peer's.
func (c *conn) readUni(t *quic.Turn, s quic.StreamRef, u *h3.UniStream) {
	sc := getScratch()
	defer sc.release()
	for {
		buf := sc.buf[:]
		if missing := u.Missing(); missing > 0 && c.ext != nil {
			buf = buf[:missing] // what follows may be the extension's
		}
		n, err := t.Read(s, buf)
		if n > 0 {
			verdict, err := c.state.HandleUni(now(t), u, sc.buf[:n])
			if err != nil {
				c.abortIn(t, err)
				return
			}
			switch verdict {
			case h3.UniAbort:
				t.Handle(s, nil)
				s.CancelRead(uint64(h3.StreamCreationError))
				return
			case h3.UniExtension:
				t.Handle(s, nil)
				c.ext.HandleStream(t, s)
				return
			}
			c.noticeControl(t)
			c.tellDecoded()
		}
		if err != nil {
			t.Handle(s, nil)
			if !streamClosed(err) {
				return
			}
			if err := c.state.HandleUniEnd(u); err != nil {
				c.abortIn(t, err)
			}
			return
		}
		if n == 0 {
			return
		}
	}
}

// streamClosed reports whether an error means that the peer closed or cancelled
// the stream. It has done nothing to it when the connection ended, which is an
// error of all streams.
func streamClosed(err error) bool {
	_, cancelled := errors.AsType[*quic.StreamError](err)
	return cancelled || err == io.EOF
}

// abort closes the connection for a violation of the protocol. Any goroutine may
// call it.
func (c *conn) abort(err error) { c.qc.Run(func(t *quic.Turn) { c.abortIn(t, err) }) }

// abortIn is abort on the loop.
func (c *conn) abortIn(t *quic.Turn, err error) {
	code, _ := h3.Code(err)
	reason := err.Error()
	if violation := (*h3.ConnError)(nil); errors.As(err, &violation) {
		reason = violation.Reason
	}
	t.Close(uint64(code), reason)
}

// do calls f on the loop, and waits for it. In a goroutine.
func (c *conn) do(f func(t *quic.Turn) error) error {
	result := make(chan error, 1)
	c.qc.Run(func(t *quic.Turn) { result <- f(t) })
	select {
	case err := <-result:
		return err
	case <-c.qc.Done():
		return c.qc.Err()
	}
}

// cancel ends both directions of a request stream. Any goroutine may call it.
func cancel(s quic.StreamRef, code h3.ErrorCode) {
	s.CancelRead(uint64(code))
	s.CancelWrite(uint64(code))
}

// now is the present moment for package h3.
func now(t *quic.Turn) monotime.Time { return monotime.Time(t.Now()) }

// isUni reports whether a stream is unidirectional (RFC 9000, Section 2.1).
func isUni(s quic.StreamRef) bool { return s.ID()&2 != 0 }
