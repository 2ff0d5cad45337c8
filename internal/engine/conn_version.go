package engine

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Which version a connection has is agreed on in one of two ways (RFC 9368):
//
//   - The server knows the version of the client's first packets, the original one,
//     and goes on with another that the client has, too: it answers with packets of
//     that version, in the same connection. All versions here are compatible with each
//     other (RFC 9369, Section 4).
//   - The server does not know it, and says which it knows, in a Version Negotiation
//     packet. The client begins anew with one of them.
//
// Whoever is on the path could do both as well. So both sides say, in the transport
// parameters, what they have and chose, and compare.

// versionState is what a connection knows of versions until the handshake is
// confirmed, beside its present one.
type versionState struct {
	// original is the version of the client's first packets.
	original wire.Version
	// settled, of a client: the server has chosen, as its first CRYPTO frame or its
	// first packet of another version shows (RFC 9369, Section 4.1).
	settled bool
	// reacted, of a client: original comes from a Version Negotiation packet.
	reacted bool
	// other protects Initial packets of the version that the connection does not have:
	// a client's of one that the server may choose, a server's of the original one, in
	// which the client goes on until it learns of the other.
	other *levelKeys
}

// versionInformation is what this side says of versions.
func (c *Conn) versionInformation() *wire.VersionInformation {
	return &wire.VersionInformation{Chosen: c.version, Available: c.endpoint.greased(c.config.Versions, 0)}
}

// greased returns versions with a reserved one somewhere among them, which is not avoid.
func (e *Endpoint) greased(versions []wire.Version, avoid wire.Version) []wire.Version {
	random := e.source.Uint64()
	reserved := wire.ReservedVersion(uint32(random))
	if reserved == avoid {
		reserved ^= 0xf0000000
	}
	at := int(random>>32) % (len(versions) + 1)
	return slices.Insert(slices.Clone(versions), at, reserved)
}

// commonVersion returns the first version of preferred that others have too, zero if
// there is none.
func commonVersion(preferred, others []wire.Version) wire.Version {
	for _, v := range preferred {
		if slices.Contains(others, v) {
			return v
		}
	}
	return 0
}

func versionError(reason string) *TransportError {
	return protocolError(wire.VersionNegotiationError, wire.FrameCrypto, reason)
}

// chooseVersion has a server choose the version that the client prefers, once it knows
// what the client has.
func (c *Conn) chooseVersion(now monotime.Time, info *wire.VersionInformation) *TransportError {
	if info == nil {
		return nil // a client with one version (RFC 9368, Section 4)
	}
	if info.Chosen != c.version {
		return versionError("the client's packets are not of the version that it says it chose") // Section 4
	}
	if v := commonVersion(info.Available, c.config.Versions); v != c.version {
		original := c.hs.keys[wire.InitialLevel]
		c.hs.version.other = &original // RFC 9369, Section 4.1: they stay for what the client sends
		c.version = v
		c.setInitialKeys(c.hs.initialDstID)
	}
	c.traceVersion(now, info.Available)
	return nil
}

// checkVersion has a client check that the version is the one that the server chose,
// and would have come about if nobody had interfered (RFC 9368, Section 4).
func (c *Conn) checkVersion(now monotime.Time, info *wire.VersionInformation) *TransportError {
	v := &c.hs.version
	if info != nil {
		c.traceVersion(now, info.Available)
	}
	switch {
	case info == nil && c.version != v.original:
		return versionError("the server does not say that it chose another version")
	case info == nil:
		if v.reacted && c.version != wire.Version1 { // Section 8
			return versionError("the server does not say which versions it has")
		}
		return nil
	case info.Chosen != c.version:
		return versionError("the server's packets are not of the version that it says it chose")
	case !v.reacted:
		return nil
	}
	theirs := append(info.Available, info.Chosen)
	if len(info.Available) == 0 || commonVersion(c.config.Versions, theirs) != v.original {
		return versionError("a Version Negotiation packet that the server did not send")
	}
	return nil
}

// acceptsVersion reports whether a packet with a long header has the connection's
// version, or one that is allowed beside it during the handshake (RFC 9369,
// Section 4.1).
func (c *Conn) acceptsVersion(h *wire.LongHeader) bool {
	switch {
	case h.Version == c.version:
		return true
	case c.hs == nil:
		return false
	case c.side == wire.ServerSide:
		return h.Type == wire.InitialPacket && h.Version == c.hs.version.original
	}
	return (h.Type == wire.InitialPacket || h.Type == wire.HandshakePacket) &&
		!c.hs.version.settled && slices.Contains(c.config.Versions, h.Version)
}

// otherInitial returns the keys of Initial packets of a version that acceptsVersion
// allows beside the connection's.
func (c *Conn) otherInitial(v wire.Version) *levelKeys {
	if c.hs.version.other == nil {
		keys := initialKeys(v, &c.hs.initialDstID, c.side)
		c.hs.version.other = &keys
	}
	return c.hs.version.other
}

// adoptVersion has a client go on with the version of the server's first packet that
// has another than the original one.
func (c *Conn) adoptVersion(v wire.Version) {
	c.hs.keys[wire.InitialLevel] = *c.otherInitial(v)
	c.hs.version.settled, c.hs.version.other = true, nil
	c.version = v
	c.tls.SetVersion(v)
	c.hs.keys[wire.ZeroRTTLevel] = levelKeys{} // no more of them (RFC 9369, Section 4.1)
}

// handleVersionNegotiation takes what a server says that does not know the original
// version: the client begins anew with the best that both have, or gives up (RFC 9368,
// Section 2.1).
func (c *Conn) handleVersionNegotiation(now monotime.Time, b []byte, inv *wire.Invariant) {
	// Only an answer to our first packet names both of our IDs.
	if string(inv.DstID) != string(c.ids.local[0].id.Bytes()) || string(inv.SrcID) != string(c.hs.originalDstID.Bytes()) {
		c.traceDropped(now, len(b), quictrace.DropInvalid, "Version Negotiation with other connection IDs")
		return
	}
	list, ok := wire.ParseVersionNegotiation(b)
	if !ok {
		c.traceDropped(now, len(b), quictrace.DropInvalid, "malformed Version Negotiation")
		return
	}
	theirs := slices.Collect(list)
	if slices.Contains(theirs, c.version) {
		// RFC 9000, Section 6.2: such a packet is not honest.
		c.traceDropped(now, len(b), quictrace.DropInvalid, "Version Negotiation with the version in use")
		return
	}
	v := commonVersion(c.config.Versions, theirs)
	if v == 0 {
		c.closeSilently(now, &VersionNegotiationError{Ours: c.config.Versions, Theirs: theirs})
		return
	}
	c.beginAnew(now, v)
	c.traceVersion(now, theirs)
}

// beginAnew makes a client's second attempt, with another version. Nothing of the first
// is left but its own ID and the time that all may take (RFC 9368, Section 2.4).
func (c *Conn) beginAnew(now monotime.Time, v wire.Version) {
	c.rejectEarly(now)
	c.loss.Discard(now, wire.InitialSpace)
	told := c.hs.zeroRTT.told
	c.hs = newHandshakeState()
	c.hs.version.reacted, c.hs.zeroRTT.told = true, told
	c.setSpaces()
	c.resetPath(now) // what was not answered was not lost
	c.dial(v)
	c.shake(now)
}
