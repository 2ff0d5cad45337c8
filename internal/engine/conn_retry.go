package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// handleRetry takes a Retry packet: the client begins again with the token and
// the ID it brought (RFC 9000, Section 17.2.5).
func (c *Conn) handleRetry(now monotime.Time, pkt []byte, h *wire.LongHeader) bool {
	hs := c.hs
	if c.side != wire.ClientSide || hs == nil || hs.answered || hs.retrySrcID.Set || len(h.Token) == 0 ||
		h.SrcID == hs.originalDstID || // Section 17.2.5.1
		!protect.VerifyRetry(c.version, &hs.originalDstID, pkt) {
		c.traceDropped(now, len(pkt), DropInvalid, "Retry packet")
		return false
	}
	hs.retrySrcID = wire.SomeID(h.SrcID)
	hs.token = append([]byte(nil), h.Token...)
	c.paths.Current.Peer.ID = h.SrcID
	c.setInitialKeys(&h.SrcID)
	c.loss.LoseAll(now, wire.InitialSpace)
	p := c.paths.Current
	p.Controller, p.Lost, p.RTT = c.config.newController(), path.Lost{}, recovery.RTT{} // what was "lost" was not
	return true
}

// handleVersionNegotiation ends a client's attempt when the server has none of
// our versions (RFC 9000, Section 6.2).
func (c *Conn) handleVersionNegotiation(now monotime.Time, b []byte, inv *wire.Invariant) {
	// Only an answer to our first packet names both of our IDs.
	if string(inv.DstID) != string(c.ids.local[0].id[:]) || string(inv.SrcID) != string(c.hs.originalDstID.Bytes()) {
		c.traceDropped(now, len(b), DropInvalid, "Version Negotiation with other connection IDs")
		return
	}
	list, ok := wire.ParseVersionNegotiation(b)
	if !ok {
		c.traceDropped(now, len(b), DropInvalid, "malformed Version Negotiation")
		return
	}
	var theirs []wire.Version
	for v := range list {
		if v == c.version {
			// Section 6.2: such a packet is not honest.
			c.traceDropped(now, len(b), DropInvalid, "Version Negotiation with the version in use")
			return
		}
		theirs = append(theirs, v)
	}
	c.closeSilently(now, &VersionNegotiationError{Ours: []wire.Version{c.version}, Theirs: theirs})
}
