package http3

import (
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// readSignal finds out whether a stream that the client opened is a request, by
// the first integer of it: a frame's type or the signal of an extension. It
// returns false when it is not, or when more has to arrive first.
func (x *exchange) readSignal(t *quic.Turn) (isRequest bool) {
	first, ok, err := x.signal.Read(turnReader{t, x.ref})
	switch {
	case err == io.EOF:
		x.refuse(t, &h3.StreamError{Code: h3.RequestIncomplete, Reason: "stream ends without a request"})
		return false
	case err != nil:
		x.abandon(t)
		return false
	case !ok:
		return false
	}
	if h3.FrameType(first) == x.conn.signal {
		x.reading = false
		t.Handle(x.ref, nil)
		x.conn.ext.HandleStream(t, x.ref)
		return false
	}
	if err := x.conn.state.HandleRequestStream(x.ref.ID()); err != nil {
		x.refuse(t, err)
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
	noEvents
	conn   *clientConn
	signal h3.VarintReader
}

// HandleReadable reads the signal.
func (b *serverStream) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	switch first, ok, err := b.signal.Read(turnReader{t, s}); {
	case err != nil:
		t.Handle(s, nil)
		cancel(s, h3.StreamCreationError)
	case !ok:
	case h3.FrameType(first) == b.conn.signal:
		t.Handle(s, nil)
		b.conn.ext.HandleStream(t, s)
	default:
		b.conn.abortIn(t, b.conn.state.HandleRequestStream(s.ID()))
	}
}

// turnReader is a stream as package h3 reads it, in a turn.
type turnReader struct {
	turn   *quic.Turn
	stream quic.StreamRef
}

func (r turnReader) TryRead(p []byte) (int, error) { return r.turn.Read(r.stream, p) }
