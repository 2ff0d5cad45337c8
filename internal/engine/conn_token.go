package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A server gives its client a token in a NEW_TOKEN frame when the handshake is complete,
// again when the client is at another address, and from time to time, so that it proves its
// address with the first packet of another connection (RFC 9000, Section 8.1.3).

// giveToken has the client get a token for the address at which it is now.
func (c *Conn) giveToken() {
	if c.side == wire.ServerSide {
		c.space.tokenDue = true
	}
}

// maxSizeNewToken is the largest NEW_TOKEN frame that is sent.
const maxSizeNewToken = 1 + 2 + protect.MaxTokenLen

// appendNewToken writes NEW_TOKEN, on a path whose address is proved. One that gets lost is
// followed by another: what repairs a loss may be the same, and need not be (RFC 9000,
// Section 8.1.3).
func (c *Conn) appendNewToken(now monotime.Time, w *frameWriter) {
	space, second := &c.space, uint32(time.Duration(now)/time.Second)+1
	if space.tokenAt != 0 && second-space.tokenAt >= uint32(newTokenRenewal/time.Second) {
		space.tokenDue = true
	}
	if !space.tokenDue || w.room() < maxSizeNewToken || !w.path.Validated() {
		return
	}
	var addr [maxTokenAddr]byte
	var buf [protect.MaxTokenLen]byte
	token := c.endpoint.sealToken(now, buf[:0], &protect.Token{
		Version: c.version, Address: tokenAddress(&addr, w.path.Remote, false),
	})
	w.b = wire.AppendNewToken(w.b, wire.NewToken{Token: token})
	w.record(recNewToken, 0)
	space.tokenDue, space.tokenAt = false, second
}

// maxClientToken is the longest token that a client keeps, in bytes: it must leave room for
// the handshake in each Initial packet. Servers' tokens are of some hundred bytes at most.
const maxClientToken = 512

// handleNewToken takes a NEW_TOKEN frame (RFC 9000, Section 19.7).
func (c *Conn) handleNewToken(f *wire.NewToken) *TransportError {
	if c.side == wire.ServerSide {
		return protocolError(wire.ProtocolViolation, wire.FrameNewToken, "a client sent NEW_TOKEN")
	}
	if keep := c.config.KeepToken; keep != nil && len(f.Token) <= maxClientToken {
		keep(c.version, f.Token)
	}
	return nil
}

// SetToken has a client that has just been dialled prove its address with a token that a
// server gave it before, for packets of this version (RFC 9369, Section 5). It must be called
// before anything is polled. The token is copied.
func (c *Conn) SetToken(v wire.Version, token []byte) {
	if v == c.version && len(token) <= maxClientToken {
		c.hs.token = append([]byte(nil), token...)
	}
}
