package engine

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Limits bound what peers may cost before they have proved anything.
type Limits struct {
	// RetryAbove is the number of handshakes under way above which a new
	// client must prove its address first. Default 8192.
	RetryAbove int
	// MaxHandshakes is the number above which new clients get no answer.
	// Default 65536.
	MaxHandshakes int
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.RetryAbove, 8192)
	setDefault(&l.MaxHandshakes, 65536)
	return l
}

// retryTokenLifetime is how long a client may take to come back with a Retry
// token (RFC 9000, Section 8.1.3): a few round trips.
const retryTokenLifetime = 10 * time.Second

// minInitialDstID is the shortest ID a client may invent for a server
// (RFC 9000, Section 7.2).
const minInitialDstID = 8

// handleStranger takes a datagram whose ID is not known.
func (e *Endpoint) handleStranger(now monotime.Time, d *Datagram, inv *wire.Invariant) *Conn {
	if !inv.Long {
		return e.handleLostShort(now, d)
	}
	if inv.Version == 0 {
		e.stats.UnknownID++ // Version Negotiation for nobody
		return nil
	}
	if inv.Version != wire.Version1 {
		e.stats.UnknownVersion++
		e.negotiateVersion(d, inv)
		return nil
	}
	h, ok := wire.ParseLongHeader(d.Data)
	switch {
	case !ok:
		e.stats.Malformed++
	case h.Type != wire.InitialPacket:
		e.stats.UnknownID++
	case len(d.Data) < minDatagramSize:
		e.stats.TooShort++ // Section 14.1
	case h.DstID.Len() < minInitialDstID:
		e.stats.Malformed++
	case e.server == nil || e.handshakes >= e.limits.MaxHandshakes:
		e.stats.Refused++
	default:
		return e.handleInitial(now, d, &h)
	}
	return nil
}

// handleInitial takes the first packet of a client. Nothing is kept of it
// unless it is authentic, and its sender's address is proved when many
// handshakes are under way.
func (e *Endpoint) handleInitial(now monotime.Time, d *Datagram, h *wire.LongHeader) *Conn {
	sealer, opener := protect.NewInitial(h.Version, h.DstID.Bytes(), wire.ServerSide)
	if !e.authentic(d.Data, h, &opener) {
		e.stats.NotAuthentic++
		return nil
	}
	original, validated := h.DstID, false
	if len(h.Token) > 0 {
		if id, ok := e.openToken(now, h.Token, d.Path.Remote); ok {
			original, validated = id, true
		} else {
			// Section 8.1.3: a client without a valid token is one without a token.
			e.stats.InvalidToken++
		}
	}
	if !validated && (e.server.RequireRetry || e.handshakes >= e.limits.RetryAbove) {
		e.retry(now, d, h)
		return nil
	}
	c := e.accept(d, h, original, validated)
	c.hs.installInitial(sealer, opener)
	c.startTLS(now)
	c.handleDatagram(now, d)
	return c
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

// accept makes the server's side of a new connection.
func (e *Endpoint) accept(d *Datagram, h *wire.LongHeader, original wire.ConnectionID, validated bool) *Conn {
	c := newConn(e, wire.ServerSide, e.server.Config, d.Path, e.server.NewTLS())
	e.conns++
	e.stats.Accepted++
	e.handshakes++
	c.pendingHandshake = true
	c.hs.initialDstID = h.DstID
	e.byInvented[h.DstID] = c
	c.hs.originalDstID = original
	if validated {
		c.hs.retrySrcID = wire.SomeID(h.DstID)
		c.path.validation = nil
	}
	c.ids.init(h.SrcID, e.newID(c))
	c.trace(original)
	return c
}

// retry asks a client to prove its address (RFC 9000, Section 17.2.5).
func (e *Endpoint) retry(now monotime.Time, d *Datagram, h *wire.LongHeader) {
	out := e.answers.next()
	if out == nil {
		return
	}
	var nonce [protect.TokenNonceLen]byte
	e.randomBytes(nonce[:])
	var addr [maxTokenAddr]byte
	token := e.tokens.Seal(nil, &protect.Token{
		Retry: true, IssuedAt: now, Address: tokenAddress(&addr, d.Path.Remote), OriginalDstID: h.DstID,
	}, &nonce)
	id := e.randomOwnID().wire()
	out = wire.AppendRetry(out, h.Version, &h.SrcID, &id, token)
	tag := protect.RetryTag(h.Version, &h.DstID, out)
	e.answers.push(d.Path, append(out, tag[:]...))
	e.stats.RetriesSent++
}

// openToken checks a Retry token and returns the ID of the client's first
// packet.
func (e *Endpoint) openToken(now monotime.Time, b []byte, from netip.AddrPort) (wire.ConnectionID, bool) {
	var t protect.Token
	var addr [maxTokenAddr]byte
	if e.tokens.Open(b, &t) != nil || !t.Retry || now.Sub(t.IssuedAt) > retryTokenLifetime ||
		string(t.Address) != string(tokenAddress(&addr, from)) {
		return wire.ConnectionID{}, false
	}
	return t.OriginalDstID, true
}

const maxTokenAddr = 16 + 2

// tokenAddress encodes an address and port.
func tokenAddress(buf *[maxTokenAddr]byte, a netip.AddrPort) []byte {
	ip := a.Addr().As16()
	n := copy(buf[:], ip[:])
	binary.BigEndian.PutUint16(buf[n:], a.Port())
	return buf[:]
}
