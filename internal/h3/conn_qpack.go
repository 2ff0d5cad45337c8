package h3

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// maxUnsentInstructions bounds the QPACK instructions that wait for the peer to
	// take them, in bytes, beyond what the stream's own buffer holds: those of the
	// encoder are about a table's worth, and of the decoder's a peer should take what
	// it causes (RFC 9204, Section 7.3).
	maxUnsentInstructions = 16 << 10
	// smallInstructions is the size of a buffer for QPACK instructions that is worth
	// keeping on every connection, in bytes.
	smallInstructions = 64
)

// qpackStream is this end's encoder or decoder stream (RFC 9204, Section 4.2). It is
// opened when it is first needed: connections whose peers use no dynamic tables do
// without.
type qpackStream struct {
	conn   *Conn
	typ    StreamType
	stream Stream // nil while the peer does not allow it
	unsent []byte
}

// open opens the stream, unless that was done, and reports whether it is open.
func (q *qpackStream) open() bool {
	if q.stream != nil {
		return true
	}
	if q.conn.control.stream == nil {
		return false // which comes first
	}
	if q.stream = q.conn.transport.OpenUni(q); q.stream == nil {
		return false
	}
	q.conn.state.traceOwn(q.stream, q.typ)
	q.unsent = append(q.unsent, byte(q.typ))
	return true
}

// flush writes what the table has for the stream.
func (q *qpackStream) flush() {
	if !q.open() {
		return // what the table has stays there
	}
	if q.typ == StreamQPACKDecoder {
		q.unsent = q.conn.state.Decoder().AppendInstructions(q.unsent)
	} else {
		q.unsent = q.conn.state.Encoder().AppendInstructions(q.unsent)
	}
	if len(q.unsent) > 0 {
		q.write()
	}
}

// write writes what the stream takes.
func (q *qpackStream) write() {
	n, err := q.stream.Write(q.unsent, false)
	if err != nil {
		if !q.conn.closed {
			q.conn.Abort(&ConnError{ClosedCriticalStream, "peer stopped reading a QPACK stream"})
		}
		n = len(q.unsent)
	}
	q.unsent = append(q.unsent[:0], q.unsent[n:]...)
	switch {
	case len(q.unsent) > maxUnsentInstructions:
		q.conn.Abort(&ConnError{ExcessiveLoad, "peer does not take QPACK instructions"})
		q.unsent = nil
	case len(q.unsent) == 0 && cap(q.unsent) > smallInstructions:
		q.unsent = nil
	}
}

// HandleReadable does nothing: the stream only sends.
func (q *qpackStream) HandleReadable(monotime.Time) {}

// HandleWritable sends what has waited, or finds that the peer does not want any,
// which it must not do.
func (q *qpackStream) HandleWritable(now monotime.Time) {
	q.conn.now = now
	q.write()
}

// openQPACK opens the streams that are wanted, and has the encoder use what the
// peer's SETTINGS allow. At a server it does so from the second request on: one alone
// gains nothing by a dynamic table.
func (c *Conn) openQPACK() {
	peer := c.state.PeerSettings()
	if peer != nil && !c.encoderSettled && (c.manyRequests || c.state.side == wire.ClientSide) {
		if c.encoderSettled = peer.QPACKMaxTableCapacity == 0; !c.encoderSettled {
			if c.encoder == nil {
				c.encoder = &qpackStream{conn: c, typ: StreamQPACKEncoder}
			}
			if c.encoder.open() {
				c.encoderSettled = true
				c.state.EnableEncoder(peer.QPACKMaxTableCapacity, peer.QPACKBlockedStreams)
				c.encoder.flush()
			}
		}
	}
	if c.decoder != nil && c.decoder.stream == nil {
		c.decoder.flush()
	}
}

// flushQPACK sends the QPACK instructions that are due.
func (c *Conn) flushQPACK() {
	if c.encoder != nil {
		c.encoder.flush()
	}
	if owes, _ := c.state.Decoder().Owed(); owes {
		if c.decoder == nil {
			c.decoder = &qpackStream{conn: c, typ: StreamQPACKDecoder}
		}
		c.decoder.flush()
	}
}

// tellDecoded has sent what this end's decoder has to say, if it should not wait for the
// next message: soon, together with what else is decoded now. Any goroutine may call it.
func (c *Conn) tellDecoded() {
	if _, urgent := c.state.Decoder().Owed(); urgent {
		c.flushSoon()
	}
}

// AppendHeaders appends a HEADERS frame that is going to be sent on the stream, for a host
// that writes it itself. What the peer needs to decode it should leave ahead of it, and
// what this end's decoder has to say as well: Transport.Post has it sent. Any goroutine
// may call it.
func (rs *RequestStream) AppendHeaders(b []byte, fields []qpack.Field) []byte {
	b, due := rs.appendHeaders(b, fields)
	if due {
		rs.conn.flushSoon()
	}
	return b
}

// appendHeaders appends a HEADERS frame, and reports whether instructions are due.
func (rs *RequestStream) appendHeaders(b []byte, fields []qpack.Field) (_ []byte, due bool) {
	state := rs.conn.state
	b, mark := BeginHeaders(b)
	b, due = state.Encoder().AppendSection(b, rs.id, fields)
	if !due {
		due, _ = state.Decoder().Owed()
	}
	rs.traceSection(fields, len(b)-mark, true)
	return EndHeaders(b, mark), due
}

// flushSoon has the QPACK instructions sent that are due. Any goroutine may call it.
func (c *Conn) flushSoon() {
	if c.flushing.CompareAndSwap(false, true) {
		c.transport.Post(func() {
			c.flushing.Store(false)
			c.flushQPACK()
		})
	}
}
