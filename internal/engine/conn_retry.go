package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// handleRetry takes a Retry packet: the client begins again with the token and
// the ID it brought (RFC 9000, Section 17.2.5).
func (c *Conn) handleRetry(now monotime.Time, pkt []byte, h *wire.LongHeader) bool {
	hs := c.hs
	if c.side != wire.ClientSide || hs == nil || hs.answered || hs.retrySrcID.Set || len(h.Token) == 0 ||
		h.SrcID == hs.originalDstID || // Section 17.2.5.1
		!protect.VerifyRetry(c.version, &hs.originalDstID, pkt) {
		c.traceDropped(now, len(pkt), quictrace.DropInvalid, "Retry packet")
		return false
	}
	hs.retrySrcID = wire.SomeID(h.SrcID)
	hs.token = append([]byte(nil), h.Token...)
	c.paths.Current.Peer.ID = h.SrcID
	c.setInitialKeys(h.SrcID)
	hs.version.other = nil // of the ID before
	c.loss.LoseAll(now, wire.InitialSpace)
	c.loseEarly(now) // with the same keys, and further numbers (Section 17.2.5.3)
	c.resetPath(now) // what was "lost" was not
	return true
}

// resetPath forgets what a client's first packets taught of the path, before any of the
// server's but Retry or Version Negotiation came.
func (c *Conn) resetPath(now monotime.Time) {
	c.endpoint.spare.feedback.forget()
	p := c.paths.Current
	p.PathState.Forget()
	c.controlPath(now, p)
}
