package wire

// Level is an encryption level, which says what keys protect a packet and what header it
// has (RFC 9001, Section 2.1). Packet numbers and acknowledgments go by Space.
type Level uint8

// The encryption levels in the order in which their packets come in a datagram.
const (
	InitialLevel Level = iota
	ZeroRTTLevel
	HandshakeLevel
	OneRTTLevel

	NumLevels = 4
)

// Space returns the packet number space of the level's packets.
func (l Level) Space() Space {
	switch l {
	case InitialLevel:
		return InitialSpace
	case HandshakeLevel:
		return HandshakeSpace
	}
	return AppSpace
}

// PacketType returns the type of the level's packets.
func (l Level) PacketType() PacketType {
	switch l {
	case InitialLevel:
		return InitialPacket
	case ZeroRTTLevel:
		return ZeroRTTPacket
	case HandshakeLevel:
		return HandshakePacket
	}
	return OneRTTPacket
}

// String returns the RFC's name of the level, which is that of its packets.
func (l Level) String() string { return l.PacketType().String() }

// CryptoLevel returns the level whose packets carry the CRYPTO frames of a space: there
// are none in 0-RTT packets (RFC 9000, Section 12.5).
func (s Space) CryptoLevel() Level {
	switch s {
	case InitialSpace:
		return InitialLevel
	case HandshakeSpace:
		return HandshakeLevel
	}
	return OneRTTLevel
}

// Level returns the encryption level of packets of a type, and false for Retry and
// Version Negotiation packets, which have none.
func (t PacketType) Level() (Level, bool) {
	for l := range Level(NumLevels) {
		if l.PacketType() == t {
			return l, true
		}
	}
	return 0, false
}
