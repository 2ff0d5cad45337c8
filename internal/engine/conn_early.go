package engine

import (
	"iter"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Early data is what a client that resumes a session sends in 0-RTT packets, within what
// the server let it do when the session was made (RFC 9001, Section 4.6):
//
//   - The client's application may open streams and send on them before the handshake is
//     complete, as EventEarly tells. A server that accepts tells its own application with
//     that event, which may answer.
//   - A server that rejects opens none of the 0-RTT packets. The client learns of it with
//     the handshake, and sends all of it again, in 1-RTT packets and within the limits
//     that the server has now.
//
// Packet numbers, streams and limits are those of the 1-RTT packets that follow.

// earlyData is what a connection knows of early data until the handshake is confirmed.
type earlyData struct {
	// remembered are a client's limits for early data; nil without a session that
	// permits it.
	remembered *wire.TransportParameters
	offered    bool // a client's early data is sent, and the server has not said whether it takes it
	accepted   bool
	told       bool // a client's application may have begun: EventEarly was told
	// firstOneRTT is the number of a client's first 1-RTT packet.
	firstOneRTT wire.PacketNumber
}

// speaks reports whether application data may be sent: the handshake is complete, or
// there is early data.
func (c *Conn) speaks() bool { return c.hs == nil || c.hs.complete || c.earlyOpen() }

// earlyOpen reports whether the application may act though the handshake is not complete.
func (c *Conn) earlyOpen() bool {
	return c.hs != nil && !c.hs.complete && (c.hs.zeroRTT.offered || c.hs.zeroRTT.accepted)
}

// EarlyAccepted reports whether the server has accepted the client's early data, as far
// as is known: for good once the handshake is complete.
func (c *Conn) EarlyAccepted() bool { return c.peer.early }

// rememberParameters takes a client's limits for early data, which its TLS kept.
func (c *Conn) rememberParameters(b []byte) *TransportError {
	p, err := wire.ParseTransportParameters(b, wire.ServerSide)
	if err != nil {
		return protocolError(wire.InternalError, 0, "remembered parameters: "+err.Error())
	}
	c.hs.zeroRTT.remembered = &p
	return nil
}

// beginEarly follows the secret of 0-RTT packets.
func (c *Conn) beginEarly(now monotime.Time) {
	z := &c.hs.zeroRTT
	switch {
	case c.side == wire.ServerSide:
		z.accepted, c.peer.early = true, true
	case z.remembered == nil:
		c.hs.keys[wire.ZeroRTTLevel] = levelKeys{}
		return
	default:
		z.offered = true
		c.applyParameters(z.remembered)
		c.updateDatagramLimit()
		z.told = true
	}
	c.event(EventEarly, nil)
}

// rejectEarly: the server takes no early data. What was sent counts as never sent, but
// for packet numbers; no packet of it is in flight (RFC 9002, Section 6.4).
func (c *Conn) rejectEarly(now monotime.Time) {
	z := &c.hs.zeroRTT
	if !z.offered {
		return
	}
	z.offered = false
	c.dropEarlyKeys(now)
	c.loseEarly(now)
	for s := range c.ownStreams() {
		s.out.rewind()
	}
	c.flow.sent = 0
	none := wire.DefaultTransportParameters()
	c.applyParameters(&none) // the server's come now, or later in the handshake
}

// loseEarly has what 0-RTT packets carried be sent again: they were not lost, but left for
// nobody.
func (c *Conn) loseEarly(now monotime.Time) {
	before := c.counters
	c.loss.LoseAll(now, wire.AppSpace)
	c.counters.LostPackets, c.counters.LostBytes = before.LostPackets, before.LostBytes
	c.endpoint.spare.feedback.forget()
}

// acceptEarly: the server has taken early data with parameters that must not be less than
// those remembered. No 0-RTT packet may use what is more now (RFC 9000, Section 7.4.1): those
// there will be are 1-RTT packets.
func (c *Conn) acceptEarly(now monotime.Time, p *wire.TransportParameters) *TransportError {
	z := &c.hs.zeroRTT
	if !z.offered {
		return nil
	}
	if name := p.ReducedFrom(z.remembered); name != "" {
		return protocolError(wire.ProtocolViolation, wire.FrameCrypto, name+" is less than when early data was permitted")
	}
	z.accepted, c.peer.early = true, true
	c.dropEarlyKeys(now)
	return nil
}

// dropEarlyKeys ends 0-RTT packets (RFC 9001, Section 4.9.3).
func (c *Conn) dropEarlyKeys(now monotime.Time) {
	keys := &c.hs.keys[wire.ZeroRTTLevel]
	if !keys.canSeal && !keys.canOpen {
		return
	}
	*keys = levelKeys{}
	if c.tracer != nil {
		c.tracer.tell(now, &quictrace.KeyDiscarded{Key: quictrace.Key{Type: quictrace.ZeroRTT}})
	}
}

// provesOneRTT reports whether an acknowledgment is of a 1-RTT packet: one of 0-RTT
// packets alone confirms nothing (RFC 9001, Section 4.1.2).
func (c *Conn) provesOneRTT(largest wire.PacketNumber) bool {
	return c.hs == nil || c.canSeal(wire.OneRTTLevel) && largest >= c.hs.zeroRTT.firstOneRTT
}

// mayBeEarly reports whether a server may yet get the keys for a 0-RTT packet.
func (c *Conn) mayBeEarly() bool {
	return c.side == wire.ServerSide && c.config.EarlyData && c.hs != nil && !c.canSeal(wire.HandshakeLevel)
}

// relimitStreams gives the streams that were opened early the limits of the peer's
// parameters: those that the peer does not allow wait until it does. Who waits to open
// others is told, as what it was refused by may be a limit that was remembered, or that of
// a server which has rejected early data and not said yet what it allows.
func (c *Conn) relimitStreams() {
	for s := range c.ownStreams() {
		k := kindOf(s.ID.Uni())
		c.parkStream(s, s.ID.Seq() >= c.streams.local[k].max)
		s.out.max = c.initialSendLimit(true, s.ID.Uni())
		s.out.blocked.clear()
		if s.out.buf.SetLimit(s.out.max) {
			s.writable()
		}
	}
	c.flow.blocked.clear()
	for k := range c.streams.local {
		c.streams.local[k].blocked.clear()
	}
	if c.hs.zeroRTT.told {
		c.event(EventStreamsAvailable, nil)
	}
}

// parkStream keeps a stream from being sent, or lets it.
func (c *Conn) parkStream(s *Stream, parked bool) {
	if parked && (s.held || s.links[dataQueue] != nil) {
		c.streams.unqueue(s)
	}
	if s.parked = parked; !parked {
		c.streams.queueResend(s)
		c.streams.queueControl(s)
	}
}

// ownStreams are the streams that this side has opened, in the order in which it has.
func (c *Conn) ownStreams() iter.Seq[*Stream] {
	return func(yield func(*Stream) bool) {
		for k := range c.streams.local {
			for seq := range c.streams.local[k].next {
				s := c.streams.get(wire.NewStreamID(c.side, streamKind(k) == uni, seq))
				if s != nil && !yield(s) {
					return
				}
			}
		}
	}
}

// rewind makes all that was sent count as never sent.
func (h *sendHalf) rewind() {
	if h.state == sendDataSent {
		h.state = sendSend
	}
	h.next, h.ackedTo, h.quantum, h.gaps = 0, 0, 0, nil
	h.finVal.clear()
}
