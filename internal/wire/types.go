package wire

// Side is one of the two roles in a connection.
type Side uint8

// The values are the initiator bit of stream IDs (RFC 9000, Section 2.1).
const (
	ClientSide Side = iota
	ServerSide
)

// Peer returns the other side.
func (s Side) Peer() Side { return s ^ 1 }

// String returns "client" or "server".
func (s Side) String() string {
	if s == ClientSide {
		return "client"
	}
	return "server"
}

// Space is a packet number space (RFC 9000, Section 12.3). 0-RTT and 1-RTT
// packets share AppSpace.
type Space uint8

// The packet number spaces in the order in which a handshake uses them.
const (
	InitialSpace Space = iota
	HandshakeSpace
	AppSpace

	NumSpaces = 3
)

// String returns "initial", "handshake" or "application".
func (s Space) String() string {
	switch s {
	case InitialSpace:
		return "initial"
	case HandshakeSpace:
		return "handshake"
	}
	return "application"
}

// StreamID identifies a stream. Its two lowest bits say who opened it and in
// how many directions it carries data (RFC 9000, Section 2.1).
type StreamID uint64

const (
	streamServerBit = 1
	streamUniBit    = 2
)

// NewStreamID returns the ID of the stream that initiator opens after seq
// others of the same kind. seq must be below 1<<60.
func NewStreamID(initiator Side, uni bool, seq uint64) StreamID {
	id := StreamID(seq)<<2 | StreamID(initiator)
	if uni {
		id |= streamUniBit
	}
	return id
}

// Initiator returns the side that opens the stream.
func (id StreamID) Initiator() Side { return Side(id & streamServerBit) }

// Uni reports whether the stream is unidirectional.
func (id StreamID) Uni() bool { return id&streamUniBit != 0 }

// Seq returns how many streams of the same kind come before this one.
func (id StreamID) Seq() uint64 { return uint64(id >> 2) }
