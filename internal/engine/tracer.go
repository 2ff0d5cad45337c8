package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Tracer observes a connection, as qlog does. Its methods run inside the
// engine: they must be quick, must not call back and must not keep slices.
type Tracer interface {
	// PacketSent: frames are the packet's payload, not yet sealed.
	PacketSent(now monotime.Time, t wire.PacketType, pn wire.PacketNumber, size int, frames []byte)
	// PacketReceived: frames are the payload, opened.
	PacketReceived(now monotime.Time, t wire.PacketType, pn wire.PacketNumber, size int, frames []byte)
	// PacketDropped: a packet was not used; reason is a qlog trigger.
	PacketDropped(now monotime.Time, size int, reason string)
	// PacketLost: a sent packet was declared lost.
	PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber)
	// MetricsUpdated: round-trip time or congestion state changed.
	MetricsUpdated(now monotime.Time, s Stats)
	// Closed: the connection ended for the application. The packets that tell
	// the peer so, and what arrives until it is forgotten, come after it.
	Closed(now monotime.Time, err error)
	// Released: the connection is forgotten; the last call.
	Released(now monotime.Time)
}

func (c *Conn) traceLost(now monotime.Time, id wire.Space, p *recovery.Sent) {
	if c.tracer != nil {
		c.tracer.PacketLost(now, id, p.Number)
	}
}

func (c *Conn) traceDropped(now monotime.Time, size int, reason string) {
	if c.tracer != nil {
		c.tracer.PacketDropped(now, size, reason)
	}
}
