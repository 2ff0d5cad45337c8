package h3

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/fifo"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// ErrDatagramsDisabled is the error of SendDatagram when the peer takes none.
var ErrDatagramsDisabled = errors.New("h3: the peer takes no HTTP datagrams")

const (
	// MaxEarlyDatagrams bounds the datagrams that are kept for requests that have not
	// arrived yet (RFC 9297, Section 2.1), which may have been overtaken.
	MaxEarlyDatagrams = 64
	// MaxEarlyDatagramBytes is how many bytes they may have.
	MaxEarlyDatagramBytes = 64 << 10
)

// HandleDatagrams takes the data of DATAGRAM frames. What is in list is replaced by what
// the handler is told of; nothing of it is kept.
func (c *Conn) HandleDatagrams(now monotime.Time, list [][]byte) {
	c.now = now
	for len(list) > 0 {
		id, payload, err := ParseDatagram(list[0])
		if err != nil {
			c.Abort(err)
			return
		}
		list[0] = payload
		n := 1
		for n < len(list) {
			next, payload, err := ParseDatagram(list[n])
			if err != nil || next != id {
				break
			}
			list[n] = payload
			n++
		}
		c.handleDatagrams(id, list[:n])
		list = list[n:]
	}
}

// handleDatagrams takes datagrams of one request.
func (c *Conn) handleDatagrams(id uint64, list [][]byte) {
	for _, p := range list {
		c.state.traceDatagram(id, len(p))
	}
	switch rs := c.datagrams[id]; {
	case rs != nil:
		c.handler.HandleHTTPDatagrams(c.now, rs, list)
	case c.handler.HandleStrayDatagrams(id):
	case c.state.side == wire.ServerSide:
		if c.early == nil {
			c.early = new(countedDatagrams)
		}
		for _, p := range list {
			c.early.Push(id, p)
		}
		if !c.countEarly() {
			c.early.Drop()
			c.countEarly()
		}
	}
}

// countedDatagrams are a Conn's early ones.
type countedDatagrams struct {
	EarlyDatagrams
	counted int // bytes that the Transport knows of
}

// countEarly counts what is kept of datagrams that came early, and reports whether there
// is room for it.
func (c *Conn) countEarly() bool {
	_, bytes := c.early.Held()
	more := bytes - c.early.counted
	c.early.counted = bytes
	return c.transport.CountBuffered(more) || more <= 0
}

// TakeDatagrams has datagrams of the request told of, those that have come already at
// once.
func (rs *RequestStream) TakeDatagrams() {
	c := rs.conn
	if c.datagrams == nil {
		c.datagrams = make(map[uint64]*RequestStream)
	}
	c.datagrams[rs.id] = rs
	AppendQuarterID(rs.quarter[:0], rs.id)
	if c.early != nil {
		c.early.Take(rs.id, func(p []byte) { c.handler.HandleHTTPDatagrams(c.now, rs, [][]byte{p}) })
		c.countEarly()
	}
}

// DropDatagrams ends TakeDatagrams.
func (rs *RequestStream) DropDatagrams() {
	c := rs.conn
	if c.datagrams[rs.id] != rs {
		return
	}
	if delete(c.datagrams, rs.id); len(c.datagrams) == 0 {
		c.datagrams = nil
	}
}

// SendDatagram sends an HTTP datagram of this request, unreliably and unordered
// (RFC 9297), after TakeDatagrams. It does not keep p. The error is ErrDatagramsDisabled or the Transport's.
// Any goroutine may call it.
func (rs *RequestStream) SendDatagram(p []byte) error {
	if peer := rs.conn.PeerSettings(); peer == nil || !peer.Datagrams {
		return ErrDatagramsDisabled // RFC 9297, Section 2.1.1
	}
	if trace := rs.conn.state.trace; trace != nil {
		trace(&quictrace.HTTPDatagramCreated{HTTPDatagram: quictrace.HTTPDatagram{StreamID: rs.id, Length: len(p)}})
	}
	return rs.conn.transport.SendDatagram(rs.quarter[:rs.DatagramOverhead()], p)
}

// DatagramOverhead returns how many bytes of a DATAGRAM frame's data are not the
// datagram's.
func (rs *RequestStream) DatagramOverhead() int { return wire.SizeVarint(rs.id / requestStep) }

// EarlyDatagrams keeps the datagrams of requests that have not arrived, or of what else a
// stream is to begin, few of them: the latest. The zero value is empty.
type EarlyDatagrams struct{ list fifo.Queue[earlyDatagram] }

type earlyDatagram struct {
	streamID uint64
	payload  []byte
}

// Push keeps a copy of a datagram.
func (e *EarlyDatagrams) Push(streamID uint64, p []byte) {
	if len(p) <= MaxEarlyDatagramBytes {
		e.list.Push(earlyDatagram{streamID, append([]byte(nil), p...)}, len(p))
		e.list.Shrink(MaxEarlyDatagrams, MaxEarlyDatagramBytes)
	}
}

// Take hands over those of a stream.
func (e *EarlyDatagrams) Take(streamID uint64, f func(p []byte)) {
	e.list.Take(func(d earlyDatagram) bool {
		if d.streamID != streamID {
			return false
		}
		f(d.payload)
		return true
	})
}

// Drop forgets all.
func (e *EarlyDatagrams) Drop() { e.list.Shrink(0, 0) }

// Held returns how many datagrams are kept, and how many bytes: at most
// MaxEarlyDatagrams and MaxEarlyDatagramBytes.
func (e *EarlyDatagrams) Held() (datagrams, bytes int) { return e.list.Len(), e.list.Size() }
