package http3

import (
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic"
)

// conn is what both roles have in common: the control streams of a connection.
// Its methods run on the connection's loop, unless they say otherwise.
type conn struct {
	qc      *quic.Conn
	state   *h3.State
	control *quic.Stream // this end's; nil while the peer does not allow it
	unsent  []byte       // of the control stream

	qpack          atomic.Pointer[qpackStreams] // made when they are needed
	encoderSettled bool                         // whether there is a dynamic table for sending
	manyRequests   bool                         // the client has sent more than one

	isServer      bool
	maxFields     int                         // of a section, 0 for any number
	peer          atomic.Pointer[h3.Settings] // the peer's; nil before they arrived
	awaitSettings []func()                    // called when they do
	tunnels       map[uint64]*Tunnel          // by stream ID
	early         *earlyDatagrams             // nil before the first
	datagramBytes atomic.Int64                // received datagrams that wait

	ext        ConnExtension // nil for none
	signal     h3.FrameType  // of the extension's streams, 0 for none
	toldGoAway bool          // the extension knows of a GOAWAY
}

// start sends SETTINGS, or has them sent once the peer allows a stream.
func (c *conn) start(e Extension) {
	c.extend(e)
	c.unsent = c.state.AppendControlStream(nil, rand.Uint64())
	c.flushControl()
}

// sendControl sends frames on the control stream.
func (c *conn) sendControl(frames []byte) {
	c.unsent = append(c.unsent, frames...)
	c.flushControl()
}

// flushControl writes what the control stream takes now. It is to be called
// again when the stream can be opened or written to.
func (c *conn) flushControl() {
	if c.control == nil {
		s, err := c.qc.TryOpenStream(true)
		if err != nil {
			return // HandleStreamsAvailable or HandleClose follows
		}
		c.control = s
	}
	// Even with nothing to send: the error is that of a STOP_SENDING, which
	// must not come (RFC 9114, Section 6.2.1).
	n, err := c.control.TryWrite(c.unsent)
	switch {
	case streamClosed(err):
		c.abort(&h3.ConnError{Code: h3.ClosedCriticalStream, Reason: "peer stopped reading the control stream"})
		return
	case err != nil:
		return
	}
	if c.unsent = c.unsent[n:]; len(c.unsent) == 0 {
		c.unsent = nil
	}
}

// HandleStreamsAvailable is called when the peer allows more streams.
func (c *conn) HandleStreamsAvailable(*quic.Conn) {
	c.flushControl()
	c.openQPACK()
}

// HandleWritable is called when a stream can be written to again.
func (c *conn) HandleWritable(s *quic.Stream) {
	if s == c.control {
		c.flushControl()
	} else if h, ok := s.Value().(StreamHandler); ok {
		h.HandleWritable(s)
	}
}

// readUni reads what has arrived on a unidirectional stream of the peer's.
func (c *conn) readUni(s *quic.Stream, u *h3.UniStream) {
	sc := getScratch()
	defer sc.release()
	for {
		buf := sc.buf[:]
		if missing := u.Missing(); missing > 0 && c.ext != nil {
			buf = buf[:missing] // what follows may be the extension's
		}
		n, err := s.TryRead(buf)
		if n > 0 {
			verdict, err := c.state.HandleUni(now(), u, sc.buf[:n])
			if err != nil {
				c.abort(err)
				return
			}
			switch verdict {
			case h3.UniAbort:
				s.SetValue(nil)
				s.CancelRead(uint64(h3.StreamCreationError))
				return
			case h3.UniExtension:
				s.SetValue(nil)
				c.ext.HandleStream(s)
				return
			}
			c.noticeControl()
			c.tellDecoded()
		}
		if err != nil {
			s.SetValue(nil)
			if !streamClosed(err) {
				return
			}
			if err := c.state.HandleUniEnd(u); err != nil {
				c.abort(err)
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
func (c *conn) abort(err error) {
	code, _ := h3.Code(err)
	reason := err.Error()
	if violation := (*h3.ConnError)(nil); errors.As(err, &violation) {
		reason = violation.Reason
	}
	c.qc.StartClose(uint64(code), reason)
}

// cancel ends both directions of a request stream. Any goroutine may call it.
func cancel(s *quic.Stream, code h3.ErrorCode) {
	s.CancelRead(uint64(code))
	s.CancelWrite(uint64(code))
}

var processStart = time.Now()

// now is the time for package h3, which counts from an arbitrary moment.
func now() monotime.Time { return monotime.Time(time.Since(processStart)) + 1 }

// isUni reports whether a stream is unidirectional (RFC 9000, Section 2.1).
func isUni(s *quic.Stream) bool { return s.ID()&2 != 0 }
