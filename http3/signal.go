package http3

import (
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// readSignal finds out whether a stream that the client opened is a request, by
// the first integer of it: a frame's type or the signal of an extension. It
// returns false when it is not, or when more has to arrive first.
func (x *exchange) readSignal() (isRequest bool) {
	first, ok, err := x.signal.Read(x.stream)
	switch {
	case err == io.EOF:
		x.refuse(&h3.StreamError{Code: h3.RequestIncomplete, Reason: "stream ends without a request"})
		return false
	case err != nil:
		x.abandon()
		return false
	case !ok:
		return false
	}
	if h3.FrameType(first) == x.conn.signal {
		x.stream.SetValue(nil)
		x.conn.ext.HandleStream(x.stream)
		return false
	}
	if err := x.conn.state.HandleRequestStream(x.stream.ID()); err != nil {
		x.refuse(err)
		return false
	}
	// A part of a frame's header is no piece, and no error.
	_, _, _ = x.body.reader.Next(x.signal.Bytes())
	x.signal = nil
	return true
}

// serverStream is the beginning of a bidirectional stream that a server opened,
// which only extensions have a use for.
type serverStream struct {
	conn   *clientConn
	signal h3.VarintReader
}

// HandleReadable reads the signal.
func (b *serverStream) HandleReadable(s *quic.Stream) {
	switch first, ok, err := b.signal.Read(s); {
	case err != nil:
		s.SetValue(nil)
		cancel(s, h3.StreamCreationError)
	case !ok:
	case h3.FrameType(first) == b.conn.signal:
		s.SetValue(nil)
		b.conn.ext.HandleStream(s)
	default:
		b.conn.abort(b.conn.state.HandleRequestStream(s.ID()))
	}
}

// HandleWritable does nothing: nothing is sent on the stream.
func (b *serverStream) HandleWritable(*quic.Stream) {}
