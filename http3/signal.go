package http3

import (
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// signalReader reads the first variable-length integer of a bidirectional stream,
// a frame's type or the signal of an extension, and not a byte beyond: what
// follows a signal is not HTTP/3's.
type signalReader struct {
	b [8]byte
	n int // bytes in b
}

// read reads what has arrived. It returns nil bytes and nil while more is
// needed, and then the integer in the form it came in. The error is that of the
// stream, io.EOF if it ends too early.
func (r *signalReader) read(s *quic.Stream) ([]byte, error) {
	for {
		want := 1
		if r.n > 0 {
			want = 1 << (r.b[0] >> 6)
		}
		if r.n == want {
			return r.b[:want], nil
		}
		n, err := s.TryRead(r.b[r.n:want])
		if n == 0 {
			return nil, err
		}
		r.n += n
	}
}

// readSignal finds out whether a stream that the client opened is a request. It
// returns false when it is not, or when more has to arrive first.
func (x *exchange) readSignal() (isRequest bool) {
	first, err := x.signal.read(x.stream)
	switch {
	case err == io.EOF:
		x.refuse(&h3.StreamError{Code: h3.RequestIncomplete, Reason: "stream ends without a request"})
		return false
	case err != nil:
		x.abandon()
		return false
	case first == nil:
		return false
	}
	if x.conn.isSignal(first) {
		x.stream.SetValue(nil)
		x.conn.ext.HandleStream(x.stream)
		return false
	}
	x.signal = nil
	if err := x.conn.state.HandleRequestStream(x.stream.ID()); err != nil {
		x.conn.refuse(x.stream, err)
		return false
	}
	// A part of a frame's header is no piece, and no error.
	_, _, _ = x.body.reader.Next(first)
	return true
}

// isSignal reports whether a stream that begins with these bytes is the
// extension's.
func (c *conn) isSignal(first []byte) bool {
	v, _ := wire.ConsumeVarint(first)
	return c.claims() && h3.FrameType(v) == c.signal
}

// serverStream is the beginning of a bidirectional stream that a server opened,
// which only extensions have a use for.
type serverStream struct {
	conn   *clientConn
	signal signalReader
}

// HandleReadable reads the signal.
func (b *serverStream) HandleReadable(s *quic.Stream) {
	switch first, err := b.signal.read(s); {
	case err != nil:
		s.SetValue(nil)
		cancel(s, h3.StreamCreationError)
	case first == nil:
	case b.conn.isSignal(first):
		s.SetValue(nil)
		b.conn.ext.HandleStream(s)
	default:
		b.conn.abort(b.conn.state.HandleRequestStream(s.ID()))
	}
}

// HandleWritable does nothing: nothing is sent on the stream.
func (b *serverStream) HandleWritable(*quic.Stream) {}
