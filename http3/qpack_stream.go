package http3

import (
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// qpackStream is this end's encoder or decoder stream (RFC 9204, Section 4.2). It
// is opened when it is first needed: connections whose peers use no dynamic
// tables do without.
type qpackStream struct {
	noEvents
	conn    *conn
	typ     h3.StreamType
	telling atomic.Bool // write is going to be called
	wanted  atomic.Bool // is to be opened

	// Of the loop's goroutine:
	stream quic.StreamRef
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
	if q.telling.CompareAndSwap(false, true) {
		q.conn.qc.Run(func(t *quic.Turn) {
			q.telling.Store(false)
			if q.open(t) {
				q.write(t)
			}
		})
	}
}

// open opens the stream, unless that was done, and reports whether it is open. If
// the peer does not allow it now, it is to be called again. On the loop.
func (q *qpackStream) open(t *quic.Turn) bool {
	q.wanted.Store(true)
	if q.stream != (quic.StreamRef{}) {
		return true
	}
	s, err := t.Open(true, q)
	if err != nil {
		return false
	}
	s.SetPriority(0, true) // others may wait for what it says
	q.stream = s
	q.unsent = append([]byte{byte(q.typ)}, q.unsent...)
	q.write(t)
	return true
}

// write writes what the stream takes. On the loop.
func (q *qpackStream) write(t *quic.Turn) {
	q.unsent = q.appendInstructions(q.unsent)
	if q.stream != (quic.StreamRef{}) {
		n, err := t.Write(q.stream, q.unsent)
		if streamClosed(err) {
			q.conn.abortIn(t, &h3.ConnError{Code: h3.ClosedCriticalStream, Reason: "peer stopped reading a QPACK stream"})
		}
		if err != nil {
			n = len(q.unsent)
		}
		q.unsent = append(q.unsent[:0], q.unsent[n:]...)
	}
	switch {
	case len(q.unsent) > maxUnsentInstructions:
		q.conn.abortIn(t, &h3.ConnError{Code: h3.ExcessiveLoad, Reason: "peer does not take QPACK instructions"})
		q.unsent = nil
	case len(q.unsent) == 0 && cap(q.unsent) > smallInstructions:
		q.unsent = nil
	}
}

// HandleWritable is called when the stream takes more, or when the peer does not
// want any, which it must not do (RFC 9204, Section 4.2).
func (q *qpackStream) HandleWritable(t *quic.Turn, _ quic.StreamRef) { q.write(t) }

// openQPACK opens the streams that are wanted, and has the encoder use what the
// peer's SETTINGS allow. It is to be called when these have arrived, when the
// peer allows more streams, and at a server when there is a second request: one
// alone gains nothing by a dynamic table. On the loop.
func (c *conn) openQPACK(t *quic.Turn) {
	if c.control == (quic.StreamRef{}) {
		return // which comes first
	}
	if peer := c.peer.Load(); peer != nil && !c.encoderSettled && (c.manyRequests || !c.isServer) {
		c.encoderSettled = peer.QPACKMaxTableCapacity == 0
		if !c.encoderSettled && c.qpackStreams().encoder.open(t) {
			c.encoderSettled = true
			c.state.EnableEncoder(peer.QPACKMaxTableCapacity, peer.QPACKBlockedStreams)
		}
	}
	if q := c.qpack.Load(); q != nil && q.decoder.wanted.Load() {
		q.decoder.open(t)
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
func (c *conn) appendHeaders(b []byte, id uint64, fields []qpack.Field) []byte {
	b, mark := h3.BeginHeaders(b)
	b, due := c.state.Encoder().AppendSection(b, id, fields)
	if due {
		c.qpackStreams().encoder.flush()
	}
	if owes, _ := c.state.Decoder().Owed(); owes {
		c.qpackStreams().decoder.flush()
	}
	return h3.EndHeaders(b, mark)
}

// appendTrailers appends a HEADERS frame with trailers unless there are none.
func (c *conn) appendTrailers(b []byte, id uint64, trailer http.Header) []byte {
	if len(trailer) == 0 {
		return b
	}
	return c.appendHeaders(b, id, appendFields(nil, trailer, validTrailer))
}
