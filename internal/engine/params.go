package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// peerParams is what is kept of the peer's transport parameters.
type peerParams struct {
	ackDelayShift uint8 // ACK delays are in units of 2^this microseconds
	connIDLimit   uint8 // as far as maxLocalIDs
	resetStreamAt bool  // it understands RESET_STREAM_AT
	early         bool  // early data was accepted: no parameter, but with them as there is room
	maxUDPPayload uint16
	// maxDatagramFrame is 0 when the peer takes no datagrams
	maxDatagramFrame uint16
	// initial limits for streams: opened by us bidirectional and
	// unidirectional, and opened by the peer bidirectional
	bidiLocal, bidiRemote, uni uint64
}

// localParameters returns the encoded parameters of this side.
func (c *Conn) localParameters(now monotime.Time) []byte {
	cfg := c.config
	p := wire.DefaultTransportParameters()
	p.MaxIdleTimeout = cfg.MaxIdleTimeout
	p.InitialMaxData = cfg.InitialConnWindow
	p.InitialMaxStreamDataBidiLocal = cfg.InitialStreamWindow
	p.InitialMaxStreamDataBidiRemote = cfg.InitialStreamWindow
	p.InitialMaxStreamDataUni = cfg.InitialStreamWindow
	p.InitialMaxStreamsBidi = cfg.MaxBidiStreams
	p.InitialMaxStreamsUni = cfg.MaxUniStreams
	p.MaxAckDelay = maxAckDelay
	p.ActiveConnIDLimit = maxPeerIDs
	p.ResetStreamAt = !cfg.NoResetStreamAt
	p.InitialSrcID = wire.SomeID(c.ids.local[0].id)
	p.VersionInformation = c.versionInformation()
	if cfg.Datagrams {
		p.MaxDatagramFrameSize = maxDatagramFrame
	}
	if c.side == wire.ServerSide {
		p.OriginalDstID = wire.SomeID(c.hs.originalDstID)
		p.RetrySrcID = c.hs.retrySrcID
		p.StatelessResetToken = c.endpoint.resetToken(&c.ids.local[0].id)
		p.HasStatelessResetToken = true
		p.PreferredAddress, p.DisableActiveMigration = c.preferredAddress(), cfg.DisableActiveMigration
	}
	c.traceParameters(now, &p, false)
	return wire.AppendTransportParameters(make([]byte, 0, usualParameters), &p)
}

// preferredAddress returns where a server wants its client, with a connection ID to go
// there, nil if it is well where it is.
func (c *Conn) preferredAddress() *wire.PreferredAddress {
	cfg := c.config
	if !cfg.PreferredIPv4.IsValid() && !cfg.PreferredIPv6.IsValid() {
		return nil
	}
	id, ok := c.ids.issuePreferred(c)
	if !ok {
		return nil
	}
	return &wire.PreferredAddress{IPv4: cfg.PreferredIPv4, IPv6: cfg.PreferredIPv6, ID: id, Token: c.endpoint.resetToken(&id)}
}

// usualParameters is the encoded size of parameters without the exotic ones.
const usualParameters = 192

// setPeerParameters checks and applies the peer's (RFC 9000, Section 7.4).
func (c *Conn) setPeerParameters(now monotime.Time, b []byte) *TransportError {
	p, err := wire.ParseTransportParameters(b, c.side.Peer())
	if err != nil {
		return protocolError(wire.TransportParameterError, wire.FrameCrypto, err.Error())
	}
	c.traceParameters(now, &p, true)
	if err := c.authenticateIDs(&p); err != nil {
		return err
	}
	checkVersion := c.checkVersion
	if c.side == wire.ServerSide {
		checkVersion = c.chooseVersion
	}
	if err := checkVersion(now, p.VersionInformation); err != nil {
		return err
	}
	if p.PreferredAddress != nil && p.InitialSrcID.Len() == 0 { // Section 18.2
		return protocolError(wire.TransportParameterError, wire.FrameCrypto, "preferred address of a server without connection IDs")
	}
	if err := c.acceptEarly(now, &p); err != nil {
		return err
	}
	c.applyParameters(&p)
	c.updateDatagramLimit()
	c.loss.MaxAckDelay = p.MaxAckDelay
	c.idle.negotiate(c.config.MaxIdleTimeout, p.MaxIdleTimeout)
	if a := p.PreferredAddress; a != nil { // it has number 1 (Section 5.1.1)
		c.hs.preferred = a
		c.ids.seen.add(1)
		c.ids.addSpare(path.PeerID{Seq: 1, ID: a.ID, Token: a.Token, HasToken: true})
	}
	if p.HasStatelessResetToken {
		r := &c.paths.Current.Peer
		r.Token, r.HasToken = p.StatelessResetToken, true
		c.watchReset(r)
	}
	return nil
}

// applyParameters takes what the peer lets this side do.
func (c *Conn) applyParameters(p *wire.TransportParameters) {
	c.peer = peerParams{
		ackDelayShift:    p.AckDelayExponent,
		maxUDPPayload:    uint16(min(p.MaxUDPPayloadSize, maxUDPPayload)),
		connIDLimit:      uint8(min(p.ActiveConnIDLimit, maxLocalIDs)),
		resetStreamAt:    p.ResetStreamAt,
		early:            c.peer.early,
		maxDatagramFrame: uint16(min(p.MaxDatagramFrameSize, maxDatagramFrame)),
		bidiLocal:        p.InitialMaxStreamDataBidiLocal,
		bidiRemote:       p.InitialMaxStreamDataBidiRemote,
		uni:              p.InitialMaxStreamDataUni,
	}
	c.ids.stay = p.DisableActiveMigration
	c.flow.sendMax = p.InitialMaxData
	c.flow.publish(c.paths.Current.Window())
	c.streams.local[bidi].max = p.InitialMaxStreamsBidi
	c.streams.local[uni].max = p.InitialMaxStreamsUni
	c.relimitStreams()
}

// authenticateIDs checks that the connection IDs of the handshake are the ones
// the peer saw (RFC 9000, Section 7.3).
func (c *Conn) authenticateIDs(p *wire.TransportParameters) *TransportError {
	ok := p.InitialSrcID == wire.SomeID(c.paths.Current.Peer.ID)
	if c.side == wire.ClientSide {
		ok = ok && p.OriginalDstID == wire.SomeID(c.hs.originalDstID) && p.RetrySrcID == c.hs.retrySrcID
	}
	if !ok {
		return protocolError(wire.TransportParameterError, wire.FrameCrypto, "connection IDs of the handshake do not match")
	}
	return nil
}

// ackDelay decodes the Delay of an ACK frame, limited to what the peer
// promised once the handshake is confirmed (RFC 9002, Section 5.3).
func (c *Conn) ackDelay(raw uint64, id wire.Space) time.Duration {
	if id != wire.AppSpace {
		return 0
	}
	const ceiling = uint64(1) << 40 // µs: far above any promise, keeps the shift in range
	d := time.Duration(min(raw, ceiling>>c.peer.ackDelayShift)<<c.peer.ackDelayShift) * time.Microsecond
	return min(d, c.loss.MaxAckDelay)
}
