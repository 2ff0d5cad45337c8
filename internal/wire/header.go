package wire

import "encoding/binary"

// PacketType tells apart the packets of QUIC versions 1 and 2.
type PacketType uint8

// The packet types (RFC 9000, Section 17).
const (
	InitialPacket PacketType = iota
	ZeroRTTPacket
	HandshakePacket
	RetryPacket
	VersionNegotiationPacket
	OneRTTPacket
)

var packetTypeNames = [...]string{
	InitialPacket:            "Initial",
	ZeroRTTPacket:            "0-RTT",
	HandshakePacket:          "Handshake",
	RetryPacket:              "Retry",
	VersionNegotiationPacket: "Version Negotiation",
	OneRTTPacket:             "1-RTT",
}

// String returns the RFC's name of the packet type.
func (t PacketType) String() string {
	if int(t) < len(packetTypeNames) {
		return packetTypeNames[t]
	}
	return "unknown packet type"
}

// RetryTagLen is the number of bytes of the integrity tag at the end of a
// Retry packet (RFC 9001, Section 5.8).
const RetryTagLen = 16

// LongHeader is the header of an Initial, 0-RTT, Handshake or Retry packet.
type LongHeader struct {
	Type         PacketType
	Version      Version
	DstID, SrcID ConnectionID

	// Token is the address validation token of an Initial or Retry packet. It
	// aliases the datagram.
	Token []byte

	// PNOffset is where the packet number, still protected, begins; 0 for Retry.
	PNOffset int

	// PacketLen is the length of the whole packet; another may follow it in
	// the datagram. A Retry packet fills the datagram.
	PacketLen int
}

// ParseLongHeader reads the long header of a version 1 or 2 packet at the
// beginning of b. It returns false when the packet is something else (short
// header, Version Negotiation, unknown version, a connection ID over 20
// bytes), malformed, longer than b, or has its fixed bit cleared.
func ParseLongHeader(b []byte) (LongHeader, bool) {
	var h LongHeader
	inv, n := consumeInvariant(b, 0)
	if n < 0 || !inv.Long || b[0]&fixedBit == 0 {
		return h, false
	}
	if inv.Version != Version1 && inv.Version != Version2 {
		return h, false
	}
	var ok bool
	if h.DstID, ok = NewConnectionID(inv.DstID); !ok {
		return h, false
	}
	if h.SrcID, ok = NewConnectionID(inv.SrcID); !ok {
		return h, false
	}
	h.Version = inv.Version
	h.Type = longPacketType(b[0], inv.Version)

	r := reader{b: b, off: n}
	switch h.Type {
	case RetryPacket:
		if len(b)-n < RetryTagLen {
			return h, false
		}
		h.Token = r.bytes(uint64(len(b) - n - RetryTagLen))
		h.PacketLen = len(b)
		return h, true
	case InitialPacket:
		h.Token = r.bytes(r.varint())
	}
	length := r.varint()
	h.PNOffset = r.off
	r.bytes(length)
	h.PacketLen = r.off
	return h, r.off >= 0
}

// longPacketType decodes the two type bits. Version 2 counts from Retry, which
// version 1 has last (RFC 9369, Section 3.2).
func longPacketType(first byte, v Version) PacketType {
	bits := first >> 4
	if v == Version2 {
		bits--
	}
	return PacketType(bits & 3)
}

func longTypeBits(t PacketType, v Version) byte {
	bits := byte(t)
	if v == Version2 {
		bits++
	}
	return bits & 3 << 4
}

// AppendLongHeader appends the header of an Initial, 0-RTT or Handshake
// packet, packet number included, with room for a two-byte Length at lengthAt
// for PutLength to fill in. token is written into Initial packets only.
func AppendLongHeader(b []byte, t PacketType, v Version, dst, src *ConnectionID, token []byte, pn PacketNumber, pnLen int) (out []byte, lengthAt int) {
	b = appendLongStart(b, longTypeBits(t, v)|byte(pnLen-1), v, dst, src)
	if t == InitialPacket {
		b = AppendVarint(b, uint64(len(token)))
		b = append(b, token...)
	}
	lengthAt = len(b)
	b = append(b, 0x40, 0)
	return appendPacketNumber(b, pn, pnLen), lengthAt
}

func appendLongStart(b []byte, first byte, v Version, dst, src *ConnectionID) []byte {
	b = append(b, first|longBit|fixedBit)
	b = binary.BigEndian.AppendUint32(b, uint32(v))
	b = append(b, dst.len)
	b = append(b, dst.Bytes()...)
	b = append(b, src.len)
	return append(b, src.Bytes()...)
}

// MaxLength is the largest value PutLength can write.
const MaxLength = 1<<14 - 1

// PutLength writes n, the number of bytes from the packet number to the end of
// the AEAD's tag, at offset lengthAt of b as a two-byte integer. n must be at
// most MaxLength.
func PutLength(b []byte, lengthAt, n int) {
	binary.BigEndian.PutUint16(b[lengthAt:], uint16(n)|1<<14)
}

// AppendRetry appends a Retry packet without its integrity tag (RFC 9000,
// Section 17.2.5).
func AppendRetry(b []byte, v Version, dst, src *ConnectionID, token []byte) []byte {
	b = appendLongStart(b, longTypeBits(RetryPacket, v), v, dst, src)
	return append(b, token...)
}

// KeyPhase returns the Key Phase bit of a short header's first byte, unprotected.
func KeyPhase(first byte) bool { return first&keyPhaseBit != 0 }

// AppendShortHeader appends the header of a 1-RTT packet, packet number
// included (RFC 9000, Section 17.3.1).
func AppendShortHeader(b []byte, dst *ConnectionID, spin, keyPhase bool, pn PacketNumber, pnLen int) []byte {
	first := fixedBit | byte(pnLen-1)
	if spin {
		first |= spinBit
	}
	if keyPhase {
		first |= keyPhaseBit
	}
	b = append(b, first)
	b = append(b, dst.Bytes()...)
	return appendPacketNumber(b, pn, pnLen)
}
