package engine

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// retryTokenLifetime is how long a client may take to come back with a Retry
// token (RFC 9000, Section 8.1.3): a few round trips.
const retryTokenLifetime = 10 * time.Second

// minOriginalIDLen is the length of the shortest ID that a client may invent for a
// server (RFC 9000, Section 7.2), in bytes.
const minOriginalIDLen = 8

// handleStranger takes a datagram whose ID is not known.
func (e *Endpoint) handleStranger(now monotime.Time, d *Datagram, inv *wire.Invariant) *Conn {
	if !inv.Long {
		return e.handleLostShort(now, d)
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
	original, validated := h.DstID, false
	if len(h.Token) > 0 {
		switch id, verdict := e.openToken(now, h, d.Path.Remote); verdict {
		case tokenValid:
			original, validated = id, true
		case tokenStale:
			// Section 8.1.2: a client does not take a second Retry packet, so asking
			// for another token would leave it waiting for ever.
			e.stats.InvalidToken++
			e.refuse(d, h, &keys.sealer, wire.InvalidToken, "the token is too old, or of another address or version")
			return nil
		default:
			// Section 8.1.3: a client without a valid token is one without a token.
			e.stats.InvalidToken++
		}
	}
	if !validated && e.server.RequireRetry {
		e.retry(now, d, h)
		return nil
	}
	place, verdict := e.gate.Admit(d.Path.Remote.Addr(), validated)
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
	c := e.accept(now, d, h, original, validated)
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
func (e *Endpoint) accept(now monotime.Time, d *Datagram, h *wire.LongHeader, original wire.ConnectionID, validated bool) *Conn {
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
	c.hs.originalDstID = original
	if validated {
		c.hs.retrySrcID = wire.SomeID(h.DstID)
		c.paths.Current.Validate()
	}
	c.paths.Current.Peer.ID = h.SrcID
	c.ids.init(local)
	return c
}

// retry asks a client to prove its address (RFC 9000, Section 17.2.5).
func (e *Endpoint) retry(now monotime.Time, d *Datagram, h *wire.LongHeader) {
	out := e.answers.next(answerRetry)
	if out == nil {
		return
	}
	var nonce [protect.TokenNonceLen]byte
	e.randomBytes(nonce[:])
	var addr [maxTokenAddr]byte
	token := e.tokens.Seal(nil, &protect.Token{
		Retry: true, Version: h.Version, IssuedAt: now, Address: tokenAddress(&addr, d.Path.Remote), OriginalDstID: h.DstID,
	}, &nonce)
	id := e.randomRetryID()
	out = wire.AppendRetry(out, h.Version, &h.SrcID, &id, token)
	tag := protect.RetryTag(h.Version, &h.DstID, out)
	e.answers.push(answerRetry, d.Path, append(out, tag[:]...))
	e.stats.RetriesSent++
}

// randomRetryID makes the ID to which a client sends its next Initial packet. It leads
// here, and has the length that such an ID must have at least.
func (e *Endpoint) randomRetryID() wire.ConnectionID {
	var buf [wire.MaxConnectionIDLen]byte
	b := e.ids.New(buf[:0], e.shard, e.shards, e.randomBytes)
	if n := len(b); n < minOriginalIDLen {
		b = b[:minOriginalIDLen]
		e.randomBytes(b[n:])
	}
	id, _ := wire.NewConnectionID(b)
	return id
}

// tokenVerdict says what a token is worth.
type tokenVerdict uint8

const (
	tokenForeign tokenVerdict = iota // not made here
	tokenStale                       // of a Retry packet, but not this client's, or too old
	tokenValid
)

// openToken checks the Retry token of a packet and returns the ID of the client's first
// packet. Tokens belong to a version (RFC 9369, Sections 4.1 and 5).
func (e *Endpoint) openToken(now monotime.Time, h *wire.LongHeader, from netip.AddrPort) (wire.ConnectionID, tokenVerdict) {
	var t protect.Token
	var addr [maxTokenAddr]byte
	switch {
	case e.tokens.Open(h.Token, &t) != nil || !t.Retry:
		return wire.ConnectionID{}, tokenForeign
	case now.Sub(t.IssuedAt) > retryTokenLifetime || t.Version != h.Version || string(t.Address) != string(tokenAddress(&addr, from)):
		return wire.ConnectionID{}, tokenStale
	}
	return t.OriginalDstID, tokenValid
}

const maxTokenAddr = 16 + 2

// tokenAddress encodes an address and port.
func tokenAddress(buf *[maxTokenAddr]byte, a netip.AddrPort) []byte {
	ip := a.Addr().As16()
	n := copy(buf[:], ip[:])
	binary.BigEndian.PutUint16(buf[n:], a.Port())
	return buf[:]
}
