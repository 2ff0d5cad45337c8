package h3

import (
	"io"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// readSignal finds out whether a stream that the client opened is a request, by the
// first integer of it: a frame's type or the signal of an extension. It returns false
// when it is not, or when more has to arrive first.
func (rs *RequestStream) readSignal(now monotime.Time) (isRequest bool) {
	first, ok, err := rs.signal.Read(readNow{rs.stream})
	switch {
	case err == io.EOF:
		rs.refuse(&StreamError{RequestIncomplete, "stream ends without a request"})
		return false
	case err != nil:
		rs.abandon(err)
		return false
	case !ok:
		rs.limitTime() // of the header section, if it is to be one
		return false
	}
	c := rs.conn
	if FrameType(first) == c.claimed {
		stream := rs.stream
		stream.SetHandler(nil)
		rs.phase = phaseOver
		rs.headerArrived()
		c.handler.HandleFailed(rs, ErrExtension)
		c.handler.HandleExtensionStream(now, rs.id, first, stream)
		return false
	}
	rs.phase = phaseHeader
	if !rs.isRequest() {
		return false
	}
	// A part of a frame's header is no piece, and no error.
	_, _, _ = rs.reader.Next(rs.signal.Bytes())
	return true
}

// ErrExtension is what HandleFailed is told of a stream that is no request but an
// extension's: HandleExtensionStream follows.
var ErrExtension = &StreamError{NoError, "stream is an extension's"}

// readNow is a Stream as a tryReader.
type readNow struct{ Stream }

// TryRead reads what has arrived.
func (r readNow) TryRead(p []byte) (int, error) { return r.Read(p) }

// serverStream is the beginning of a bidirectional stream that a server opened, which
// only extensions have a use for.
type serverStream struct {
	conn   *Conn
	stream Stream
	id     uint64
	signal varintReader
}

// HandleReadable reads the signal.
func (b *serverStream) HandleReadable(now monotime.Time) {
	c := b.conn
	c.now = now
	switch first, ok, err := b.signal.Read(readNow{b.stream}); {
	case err != nil:
		b.stream.SetHandler(nil)
		b.stream.Stop(StreamCreationError)
		b.stream.Reset(StreamCreationError)
	case !ok:
	case FrameType(first) == c.claimed:
		b.stream.SetHandler(nil)
		c.handler.HandleExtensionStream(now, b.id, first, b.stream)
	default:
		c.Abort(c.state.HandleRequestStream(b.id))
	}
}

// HandleWritable does nothing: nothing is sent on the stream.
func (b *serverStream) HandleWritable(monotime.Time) {}
