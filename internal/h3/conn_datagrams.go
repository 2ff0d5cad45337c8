package h3

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// ErrDatagramsDisabled is the error of SendDatagram when the peer takes none.
var ErrDatagramsDisabled = errors.New("h3: the peer takes no HTTP datagrams")

const (
	// maxEarlyDatagrams and maxEarlyDatagramBytes bound what is kept for requests that
	// have not arrived yet (RFC 9297, Section 2.1), which may have been overtaken.
	maxEarlyDatagrams     = 64
	maxEarlyDatagramBytes = 64 << 10
)

// HandleDatagram takes the data of a DATAGRAM frame. It does not keep b.
func (c *Conn) HandleDatagram(now monotime.Time, b []byte) {
	c.now = now
	id, payload, err := ParseDatagram(b)
	if err != nil {
		c.Abort(err)
		return
	}
	if rs := c.datagrams[id]; rs != nil {
		c.handler.HandleDatagram(now, rs, payload)
	} else if c.state.side == wire.ServerSide {
		if c.early == nil {
			c.early = new(earlyDatagrams)
		}
		c.early.push(id, payload)
	}
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
		c.early.hand(rs.id, func(p []byte) { c.handler.HandleDatagram(c.now, rs, p) })
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
	return rs.conn.transport.SendDatagram(rs.quarter[:rs.DatagramOverhead()], p)
}

// DatagramOverhead returns how many bytes of a DATAGRAM frame's data are not the
// datagram's.
func (rs *RequestStream) DatagramOverhead() int { return wire.SizeVarint(rs.id / requestStep) }

// earlyDatagram is a datagram of a request that has not arrived.
type earlyDatagram struct {
	streamID uint64
	payload  []byte
}

// earlyDatagrams keeps few of them, the latest.
type earlyDatagrams struct {
	list  []earlyDatagram
	bytes int
}

func (e *earlyDatagrams) push(id uint64, p []byte) {
	if len(p) > maxEarlyDatagramBytes {
		return
	}
	for len(e.list) > 0 && (len(e.list) >= maxEarlyDatagrams || e.bytes+len(p) > maxEarlyDatagramBytes) {
		e.bytes -= len(e.list[0].payload)
		e.list = append(e.list[:0], e.list[1:]...)
	}
	e.list = append(e.list, earlyDatagram{id, append([]byte(nil), p...)})
	e.bytes += len(p)
}

// hand hands those of a request over.
func (e *earlyDatagrams) hand(id uint64, take func([]byte)) {
	kept := e.list[:0]
	for _, d := range e.list {
		if d.streamID == id {
			take(d.payload)
			e.bytes -= len(d.payload)
		} else {
			kept = append(kept, d)
		}
	}
	clear(e.list[len(kept):])
	if e.list = kept; len(kept) == 0 {
		e.list = nil
	}
}
