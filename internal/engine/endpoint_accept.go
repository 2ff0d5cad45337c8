package engine

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// minOriginalIDLen is the length of the shortest ID that a client may invent for a
// server (RFC 9000, Section 7.2), in bytes.
const minOriginalIDLen = 8

// handleStranger takes a datagram whose ID is not known.
func (e *Endpoint) handleStranger(now monotime.Time, d *Datagram, inv *wire.Invariant) *Conn {
	if !inv.Long {
		e.handleLostShort(now, d)
		return nil
	}
	if inv.Version == 0 {
		e.stats.UnknownID++ // Version Negotiation for nobody
		return nil
	}
	if !e.accepts(inv.Version) {
		e.stats.UnknownVersion++
		e.negotiateVersion(d, inv)
		return nil
	}
	h, ok := wire.ParseLongHeader(d.Data)
	switch {
	case !ok:
		e.stats.Malformed++
	case h.Type == wire.ZeroRTTPacket && e.server != nil && e.server.Config.EarlyData && h.DstID.Len() >= minOriginalIDLen:
		e.strays.keep(now, d, h.DstID)
	case h.Type != wire.InitialPacket:
		e.stats.UnknownID++
	case len(d.Data) < minDatagramSize:
		e.stats.TooShort++ // Section 14.1
	case h.DstID.Len() < minOriginalIDLen:
		e.stats.Malformed++
	case e.server == nil:
		e.stats.Refused++
	default:
		return e.handleInitial(now, d, &h)
	}
	return nil
}

// accepts reports whether a version of clients' first packets is known, and taken if
// there is a server.
func (e *Endpoint) accepts(v wire.Version) bool {
	return v.Known() && (e.server == nil || slices.Contains(e.server.Config.Versions, v))
}

// handleInitial takes the first packet of a client. Nothing is kept of it
// unless it is authentic, and its sender's address is proved when many
// handshakes are under way.
func (e *Endpoint) handleInitial(now monotime.Time, d *Datagram, h *wire.LongHeader) *Conn {
	keys := initialKeys(h.Version, &h.DstID, wire.ServerSide)
	if !e.authentic(d.Data, h, &keys.opener) {
		e.stats.NotAuthentic++
		return nil
	}
	if e.server.Refuse {
		e.stats.Refused++
		e.refuse(d, h, &keys.sealer, wire.ConnectionRefused, "the server takes no further connections")
		return nil
	}
	proof := e.openToken(now, h, d.Path.Remote)
	switch proof.verdict {
	case tokenBadRetry:
		// Section 8.1.2: a client does not take a second Retry packet, so asking
		// for another token would leave it waiting for ever.
		e.stats.InvalidToken++
		e.refuse(d, h, &keys.sealer, wire.InvalidToken, "the token is not ours, too old, or of another address or version")
		return nil
	case tokenInvalid:
		e.stats.InvalidToken++ // Section 8.1.3: it is as good as none
	}
	if !proof.valid() && e.server.RequireRetry {
		e.retry(now, d, h)
		return nil
	}
	place, verdict := e.gate.Admit(d.Path.Remote.Addr(), proof.valid())
	switch verdict {
	case AskForProof:
		e.retry(now, d, h)
		return nil
	case Refuse:
		e.stats.Refused++
		e.refuse(d, h, &keys.sealer, wire.ConnectionRefused, "too many connections")
		return nil
	case Ignore:
		e.stats.Refused++
		return nil
	}
	c := e.accept(now, d, h, &proof)
	if c == nil {
		e.gate.HandshakeOver(place)
		e.gate.Released(place)
		e.stats.Refused++
		e.refuse(d, h, &keys.sealer, wire.ConnectionRefused, "no connection ID is free")
		return nil
	}
	c.place = place
	c.startTrace(now)
	c.hs.keys[wire.InitialLevel] = keys
	c.deadlines[slotHandshake] = now.Add(c.config.HandshakeTimeout)
	c.handleDatagram(now, d)
	if len(e.strays.list) > 0 {
		for _, early := range e.strays.take(now, d, h.DstID) {
			c.handleDatagram(now, &early)
		}
	}
	return c
}

// refuse tells a client why it gets no connection (RFC 9000, Sections 5.2.2 and
// 8.1.2). Nothing is kept of it: there is no closing period.
func (e *Endpoint) refuse(d *Datagram, h *wire.LongHeader, sealer *protect.Sealer, code wire.ErrorCode, reason string) {
	out := e.answers.next(answerClose)
	if out == nil {
		return
	}
	const pnLen = 1
	pkt, lengthAt := wire.AppendLongHeader(out, wire.InitialPacket, h.Version, &h.SrcID, &h.DstID, nil, 0, pnLen)
	pnAt := len(pkt) - pnLen
	pkt = wire.AppendConnectionClose(pkt, wire.ConnectionClose{Code: uint64(code), Reason: []byte(reason)})
	wire.PutLength(pkt, lengthAt, len(pkt)-pnAt+protect.Overhead)
	e.answers.push(answerClose, d.Path, sealer.Seal(pkt, pnAt, pnLen, 0))
	e.stats.ClosesSent++
}

// authentic reports whether the Initial packet in front of b opens with the
// keys its ID implies. It works on a copy.
func (e *Endpoint) authentic(b []byte, h *wire.LongHeader, opener *protect.Opener) bool {
	if h.PacketLen > len(e.scratch) {
		return false
	}
	pkt := e.scratch[:copy(e.scratch[:], b[:h.PacketLen])]
	_, _, err := opener.Open(pkt, h.PNOffset, wire.NoPacket)
	return err == nil
}

// accept makes the server's side of a new connection, nil if no ID is free for it.
func (e *Endpoint) accept(now monotime.Time, d *Datagram, h *wire.LongHeader, proof *proof) *Conn {
	c := newConn(now, e, wire.ServerSide, e.server.Config, d.Path, e.server.NewTLS())
	local, ok := e.newID(c)
	if !ok {
		e.spare.rested()
		return nil
	}
	e.conns++
	e.stats.Accepted++
	e.handshakes++
	c.version, c.hs.version.original = h.Version, h.Version
	c.hs.initialDstID = h.DstID
	e.byOriginal[h.DstID] = c
	c.hs.originalDstID = h.DstID
	if proof.verdict == tokenOfRetry {
		c.hs.originalDstID = proof.originalDstID
		c.hs.retrySrcID = wire.SomeID(h.DstID)
	}
	if proof.valid() {
		c.paths.Current.Validate()
	}
	c.paths.Current.Peer.ID = h.SrcID
	c.ids.init(local)
	return c
}

// randomRetryID makes the ID to which a client sends its next Initial packet. It leads
// here, and has the length that such an ID must have at least.
func (e *Endpoint) randomRetryID() wire.ConnectionID {
	b := e.ids.New(e.idRoom[:0], e.shard, e.shards, e.random)
	if n := len(b); n < minOriginalIDLen {
		b = b[:minOriginalIDLen]
		e.randomBytes(b[n:])
	}
	id, _ := wire.NewConnectionID(b)
	return id
}
