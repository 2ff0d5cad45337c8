package engine

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// handleDatagram takes a datagram that the endpoint found to be this connection's
// (RFC 9000, Section 12.2). It reports whether it made anything of it: otherwise it may be a
// stateless reset, also another connection's.
func (c *Conn) handleDatagram(now monotime.Time, d *Datagram) bool {
	c.counters.ReceivedBytes += uint64(len(d.Data))
	c.traceArriving(now, d)
	switch c.state {
	case stateClosing:
		c.traceDropped(now, len(d.Data), quictrace.DropGeneral, "the connection is closing")
		c.answerWhileClosing(len(d.Data))
		return false
	case stateDraining:
		c.traceDropped(now, len(d.Data), quictrace.DropGeneral, "the connection is draining")
		return false
	case stateReleased:
		return false
	}
	if c.leaving() {
		c.traceDropped(now, len(d.Data), quictrace.DropGeneral, "the connection is about to close")
		return false
	}
	switch p := c.pathOf(d); {
	case p != nil:
		p.Received(len(d.Data))
	case c.side == wire.ClientSide:
		c.traceDropped(now, len(d.Data), quictrace.DropRejected, "not from the server's address")
		return false
	}
	processed := c.handlePackets(now, d, false)
	c.settlePeerClose(now)
	if c.state >= stateClosing {
		return true
	}
	if processed {
		c.handleEarly(now)
		c.dropHandshakeState()
	}
	return processed
}

// handlePackets takes the packets coalesced in a datagram and reports whether
// at least one of them was authentic.
func (c *Conn) handlePackets(now monotime.Time, d *Datagram, early bool) (processed bool) {
	var first wire.ConnectionID
	long := 0 // packets so far
	for b := d.Data; len(b) > 0 && c.state < stateClosing; {
		if b[0]&longHeaderBit == 0 {
			return c.handleShort(now, b, d, early) || processed
		}
		h, ok := wire.ParseLongHeader(b)
		if !ok || !c.acceptsVersion(&h) {
			c.handleOddLong(now, b)
			return processed
		}
		if long++; long == 1 {
			first = h.DstID
		} else if h.DstID != first {
			// Section 12.2: other connections' packets are not coalesced.
			c.traceDropped(now, len(b), quictrace.DropInvalid, "coalesced with a packet to another connection ID")
			return processed
		}
		pkt := b[:h.PacketLen]
		b = b[h.PacketLen:]
		processed = c.handleLong(now, pkt, &h, d, early) || processed
	}
	return processed
}

const longHeaderBit = 0x80

// handleLong takes an Initial, 0-RTT, Handshake or Retry packet.
func (c *Conn) handleLong(now monotime.Time, pkt []byte, h *wire.LongHeader, d *Datagram, early bool) bool {
	level, ok := h.Type.Level()
	switch {
	case !ok:
		return c.handleRetry(now, pkt, h)
	case level == wire.ZeroRTTLevel && !c.canOpen(level) && !c.mayBeEarly():
		c.traceDropped(now, len(pkt), quictrace.DropRejected, "0-RTT packet")
		return false
	case level == wire.InitialLevel && c.side == wire.ClientSide && len(h.Token) > 0:
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "token in a server's Initial packet") // Section 17.2.2
		return false
	case level == wire.InitialLevel && c.side == wire.ServerSide && len(d.Data) < minDatagramSize:
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "Initial packet in a small datagram") // Section 14.1
		return false
	}
	space := c.numberSpace(level.Space())
	if space == nil {
		c.traceDropped(now, len(pkt), quictrace.DropKeyUnavailable, "keys discarded")
		return false
	}
	if !c.canOpen(level) {
		c.keepEarly(now, pkt, d, early)
		return false
	}
	opener := &c.hs.keys[level].opener
	if h.Version != c.version {
		opener = &c.otherInitial(h.Version).opener
	}
	payload, pn, err := opener.Open(pkt, h.PNOffset, space.received.largest())
	if err != nil {
		c.undecryptable(now, len(pkt), err)
		return false
	}
	if level != wire.ZeroRTTLevel && !c.acceptPeerID(h) {
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "the peer changed its connection ID")
		return false
	}
	if h.Version != c.version && c.side == wire.ClientSide {
		c.adoptVersion(h.Version)
		c.traceVersion(now, nil)
	}
	if level == wire.HandshakeLevel && c.side == wire.ServerSide {
		c.paths.Current.Validate() // RFC 9000, Section 8.1
		c.discardSpace(now, wire.InitialSpace)
	}
	c.hs.answered = true
	c.handlePayload(now, &openPacket{level: level, number: pn, size: len(pkt), frames: payload}, d, &h.DstID)
	return true
}

// acceptPeerID takes the ID the peer chose for itself from its first Initial
// packet; later ones must not differ (RFC 9000, Section 7.2). A client that uses another one
// by now, of a NEW_CONNECTION_ID frame, has been acknowledged all but the last of its handshake.
func (c *Conn) acceptPeerID(h *wire.LongHeader) bool {
	peer := &c.paths.Current.Peer
	if !c.hs.answered && c.side == wire.ClientSide {
		peer.ID = h.SrcID
	}
	return peer.ID == h.SrcID || peer.Seq != 0
}

// handleShort takes a 1-RTT packet.
func (c *Conn) handleShort(now monotime.Time, pkt []byte, d *Datagram, early bool) bool {
	if !wire.IsQUIC(pkt) {
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "the fixed bit is not set") // Section 17.3.1
		return false
	}
	if !c.canOpen(wire.OneRTTLevel) || !c.established() {
		c.keepEarly(now, pkt, d, early)
		return false
	}
	local, ok := c.endpoint.shortID(pkt)
	if !ok {
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "shorter than a header")
		return false
	}
	phase := c.keys.Phase()
	payload, pn, updated, err := c.keys.Open(pkt, 1+local.Len(), c.space.received.largest())
	if err != nil {
		c.undecryptable(now, len(pkt), err)
		return false
	}
	if c.keys.Phase() != phase {
		c.traceKeyUpdate(now, quictrace.KeyByRemoteUpdate)
	}
	if updated {
		c.keysUpdated(now)
	}
	p := &openPacket{wire.OneRTTLevel, pn, wire.KeyPhase(pkt[0]), len(pkt), payload}
	c.handlePayload(now, p, d, &local)
	return true
}

// handlePayload takes the frames of an authentic packet.
func (c *Conn) handlePayload(now monotime.Time, p *openPacket, d *Datagram, dst *wire.ConnectionID) {
	id, pn := p.level.Space(), p.number
	space := c.numberSpace(id)
	if space.received.seen(pn) {
		c.counters.Duplicates++
		c.traceDropped(now, p.size, quictrace.DropDuplicate, "")
		return
	}
	c.counters.ReceivedPackets++
	c.traceReceived(now, p, dst)
	in := incoming{now: now, space: id, packet: p.level.PacketType(), pn: pn, datagram: d, dst: dst}
	if err := c.handleFrames(&in, p.frames); err != nil {
		c.fail(now, err)
		return
	}
	if c.state >= stateClosing {
		return
	}
	newest := pn > space.received.largest()
	if space = c.numberSpace(id); space == nil {
		return // the frames ended the handshake
	}
	urgent := space.received.add(now, pn, in.ackEliciting, d.ECN)
	switch {
	case id != wire.AppSpace && in.ackEliciting:
		space.received.urgent = true // Section 13.2.1: at once during the handshake
	case urgent:
		c.deadlines[slotAck] = 0
	case in.ackEliciting && c.deadlines[slotAck].IsZero():
		c.deadlines[slotAck] = now.Add(maxAckDelay)
	}
	c.idle.received(c, now)
	if id == wire.AppSpace && d.Path != c.paths.Current.Addrs {
		c.peerMoved(now, d, newest && !in.probing)
	}
}

// keepEarly keeps a packet that overtook its keys, unless it was kept before.
func (c *Conn) keepEarly(now monotime.Time, pkt []byte, d *Datagram, before bool) {
	if before || c.hs == nil || !c.hs.early.add(pkt, d) {
		c.traceDropped(now, len(pkt), quictrace.DropKeyUnavailable, "")
		return
	}
	c.traceBuffered(now, len(pkt))
	if c.side == wire.ClientSide && !c.canOpen(wire.HandshakeLevel) {
		c.hurryHandshake(now) // the Initial packet that it needs seems lost
	}
}

// handleEarly looks again at packets that overtook their keys.
func (c *Conn) handleEarly(now monotime.Time) {
	if c.hs == nil || len(c.hs.early.list) == 0 || !(c.established() || c.canOpen(wire.HandshakeLevel)) {
		return
	}
	list := c.hs.early.take()
	kept := list[:0]
	for _, d := range list {
		if d.Data[0]&longHeaderBit == 0 && !c.established() {
			kept = append(kept, d) // still too early
			continue
		}
		c.handlePackets(now, &d, true)
		c.settlePeerClose(now)
		if c.state >= stateClosing {
			return
		}
	}
	if len(kept) > 0 {
		c.hs.early.keep(kept)
	}
}

// undecryptable counts a packet that did not open.
func (c *Conn) undecryptable(now monotime.Time, size int, err error) {
	c.counters.Undecryptable++
	c.traceDropped(now, size, quictrace.DropDecryptionFailure, "")
	switch {
	case errors.Is(err, protect.ErrAEADLimit):
		c.fail(now, protocolError(wire.AEADLimitReached, 0, "too many packets failed to authenticate"))
	case errors.Is(err, protect.ErrReservedBits):
		c.fail(now, protocolError(wire.ProtocolViolation, 0, "reserved header bits are set"))
	case errors.Is(err, protect.ErrKeyUpdate):
		c.fail(now, protocolError(wire.KeyUpdateError, 0, "keys updated again too soon"))
	}
}

// handleOddLong takes long headers that are not of this connection's version:
// a client may be told of the versions a server has.
func (c *Conn) handleOddLong(now monotime.Time, b []byte) {
	inv, ok := wire.ParseInvariant(b, 0)
	switch {
	case !ok || inv.Version == c.version:
		c.traceDropped(now, len(b), quictrace.DropInvalid, "malformed long header")
	case inv.Version != 0:
		c.traceDropped(now, len(b), quictrace.DropUnsupported, "")
	case c.side != wire.ClientSide || c.Answered() || c.hs.version.reacted: // RFC 9368, Section 4
		c.traceDropped(now, len(b), quictrace.DropRejected, "Version Negotiation after another packet")
	default:
		c.handleVersionNegotiation(now, b, &inv)
	}
}
