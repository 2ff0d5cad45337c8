package http3

import (
	"net/http"
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// qpackStream is this end's encoder or decoder stream (RFC 9204, Section 4.2). It
// is opened when it is first needed: connections whose peers use no dynamic
// tables do without.
type qpackStream struct {
	conn *conn
	typ  h3.StreamType

	mu     sync.Mutex // held while writing: instructions have an order
	stream *quic.Stream
	wanted bool // is to be opened
	unsent []byte
}

// qpackStreams are both of them.
type qpackStreams struct{ encoder, decoder qpackStream }

// qpackStreams makes them, if that was not done. Any goroutine may call it.
func (c *conn) qpackStreams() *qpackStreams {
	if q := c.qpack.Load(); q != nil {
		return q
	}
	made := &qpackStreams{
		encoder: qpackStream{conn: c, typ: h3.StreamQPACKEncoder},
		decoder: qpackStream{conn: c, typ: h3.StreamQPACKDecoder},
	}
	if c.qpack.CompareAndSwap(nil, made) {
		return made
	}
	return c.qpack.Load()
}

// appendInstructions appends what the table has for the stream.
func (q *qpackStream) appendInstructions(b []byte) []byte {
	if q.typ == h3.StreamQPACKDecoder {
		return q.conn.state.Decoder().AppendInstructions(b)
	}
	return q.conn.state.Encoder().AppendInstructions(b)
}

// flush writes what the table has for the stream. Any goroutine may call it.
func (q *qpackStream) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stream == nil && !q.wanted {
		q.wanted = true
		q.conn.qc.Run(func() { q.open() })
	}
	q.write()
}

// open opens the stream, unless that was done, and reports whether it is open. If
// the peer does not allow it now, it is to be called again. On the loop.
func (q *qpackStream) open() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wanted = true
	if q.stream != nil {
		return true
	}
	s, err := q.conn.qc.TryOpenStream(true)
	if err != nil {
		return false
	}
	s.SetPriority(0, true) // others may wait for what it says
	s.SetValue(StreamHandler(q))
	q.stream = s
	q.unsent = append([]byte{byte(q.typ)}, q.unsent...)
	q.write()
	return true
}

func (q *qpackStream) isWanted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wanted
}

// write writes what the stream takes. The lock is held.
func (q *qpackStream) write() {
	q.unsent = q.appendInstructions(q.unsent)
	if q.stream != nil {
		n, err := q.stream.TryWrite(q.unsent)
		if streamClosed(err) {
			q.conn.abort(&h3.ConnError{Code: h3.ClosedCriticalStream, Reason: "peer stopped reading a QPACK stream"})
		}
		if err != nil {
			n = len(q.unsent)
		}
		q.unsent = append(q.unsent[:0], q.unsent[n:]...)
	}
	switch {
	case len(q.unsent) > maxUnsentInstructions:
		q.conn.abort(&h3.ConnError{Code: h3.ExcessiveLoad, Reason: "peer does not take QPACK instructions"})
		q.unsent = nil
	case len(q.unsent) == 0 && cap(q.unsent) > smallInstructions:
		q.unsent = nil
	}
}

// HandleReadable is there for StreamHandler: the stream only sends.
func (q *qpackStream) HandleReadable(*quic.Stream) {}

// HandleWritable is called when the stream takes more, or when the peer does not
// want any, which it must not do (RFC 9204, Section 4.2).
func (q *qpackStream) HandleWritable(*quic.Stream) { q.flush() }

// openQPACK opens the streams that are wanted, and has the encoder use what the
// peer's SETTINGS allow. It is to be called when these have arrived, when the
// peer allows more streams, and at a server when there is a second request: one
// alone gains nothing by a dynamic table. On the loop.
func (c *conn) openQPACK() {
	if c.control == nil {
		return // which comes first
	}
	if peer := c.peer.Load(); peer != nil && !c.encoderSettled && (c.manyRequests || !c.isServer) {
		c.encoderSettled = peer.QPACKMaxTableCapacity == 0
		if !c.encoderSettled && c.qpackStreams().encoder.open() {
			c.encoderSettled = true
			c.state.EnableEncoder(peer.QPACKMaxTableCapacity, peer.QPACKBlockedStreams)
		}
	}
	if q := c.qpack.Load(); q != nil && q.decoder.isWanted() {
		q.decoder.open()
	}
}

// tellDecoded sends what this end's decoder has to say, if it should not wait for
// the next message. Any goroutine may call it.
func (c *conn) tellDecoded() {
	if _, urgent := c.state.Decoder().Owed(); urgent {
		c.qpackStreams().decoder.flush()
	}
}

// appendHeaders appends a HEADERS frame that is going to be sent on a stream.
// What the peer needs to decode it leaves ahead of it, and what this end's
// decoder has to say as well. Any goroutine may call it.
func (c *conn) appendHeaders(b []byte, s *quic.Stream, fields []qpack.Field) []byte {
	b, mark := h3.BeginHeaders(b)
	b, due := c.state.Encoder().AppendSection(b, s.ID(), fields)
	if due {
		c.qpackStreams().encoder.flush()
	}
	if owes, _ := c.state.Decoder().Owed(); owes {
		c.qpackStreams().decoder.flush()
	}
	return h3.EndHeaders(b, mark)
}

// appendTrailers appends a HEADERS frame with trailers unless there are none.
func (c *conn) appendTrailers(b []byte, s *quic.Stream, trailer http.Header) []byte {
	if len(trailer) == 0 {
		return b
	}
	return c.appendHeaders(b, s, appendFields(nil, trailer, validTrailer))
}
