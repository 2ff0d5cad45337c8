package wire

import (
	"net/netip"
	"time"
)

// TransportParameters is what each side declares about itself during the
// handshake (RFC 9000, Section 18.2). DefaultTransportParameters gives the
// values of those that are absent.
type TransportParameters struct {
	// OriginalDstID, from a server: the destination ID of the client's first
	// Initial packet.
	OriginalDstID OptionalID

	// InitialSrcID is the source ID of the sender's first Initial packet.
	InitialSrcID OptionalID

	// RetrySrcID, from a server: the source ID of its Retry packet.
	RetrySrcID OptionalID

	// StatelessResetToken, from a server, goes with the ID that it chose
	// during the handshake.
	StatelessResetToken    ResetToken
	HasStatelessResetToken bool

	// PreferredAddress, from a server: nil when there is none.
	PreferredAddress *PreferredAddress

	// MaxIdleTimeout is in milliseconds on the wire; 0 means no timeout.
	MaxIdleTimeout time.Duration

	// MaxUDPPayloadSize is the longest datagram received, in bytes, at least 1200.
	MaxUDPPayloadSize uint64

	// Flow control limits in bytes. Local streams are those that the sender of
	// the parameters opens.
	InitialMaxData                 uint64
	InitialMaxStreamDataBidiLocal  uint64
	InitialMaxStreamDataBidiRemote uint64
	InitialMaxStreamDataUni        uint64

	// How many streams the receiver of the parameters may open, at most
	// MaxStreamCount.
	InitialMaxStreamsBidi uint64
	InitialMaxStreamsUni  uint64

	// AckDelayExponent scales the Delay of the sender's ACK frames, at most 20.
	AckDelayExponent uint8

	// MaxAckDelay is how long the sender may hold back an acknowledgement;
	// milliseconds on the wire, below 2^14.
	MaxAckDelay time.Duration

	// DisableActiveMigration asks the peer to stay at its address.
	DisableActiveMigration bool

	// ActiveConnIDLimit is how many of the peer's connection IDs are stored, at
	// least 2.
	ActiveConnIDLimit uint64

	// MaxDatagramFrameSize is the longest DATAGRAM frame received, type and
	// length included; 0 means none (RFC 9221, Section 3).
	MaxDatagramFrameSize uint64

	// ResetStreamAt says that RESET_STREAM_AT frames are received
	// (draft-ietf-quic-reliable-stream-reset, Section 3). Two codepoints are
	// in use: both are sent, either is understood.
	ResetStreamAt bool

	// VersionInformation is nil when there is none (RFC 9368, Section 3).
	VersionInformation *VersionInformation

	// GreaseQUICBit says that packets with a cleared fixed bit are received
	// (RFC 9287, Section 3).
	GreaseQUICBit bool
}

// OptionalID is a connection ID that may be absent, which is not the same as
// empty.
type OptionalID struct {
	ConnectionID
	Set bool
}

// SomeID returns an OptionalID that is set to id.
func SomeID(id ConnectionID) OptionalID { return OptionalID{ConnectionID: id, Set: true} }

// PreferredAddress is where a server would rather be talked to (RFC 9000,
// Section 9.6). The address of a family that it does not offer is the zero
// AddrPort.
type PreferredAddress struct {
	IPv4, IPv6 netip.AddrPort
	ID         ConnectionID // has sequence number 1; not empty
	Token      ResetToken   // of ID
}

// The values of parameters that are absent, and the limits of those present
// (RFC 9000, Section 18.2).
const (
	DefaultMaxUDPPayloadSize = 65527
	DefaultAckDelayExponent  = 3
	DefaultMaxAckDelay       = 25 * time.Millisecond
	DefaultActiveConnIDLimit = 2

	MinUDPPayloadSize   = 1200
	MaxAckDelayExponent = 20
	maxMaxAckDelay      = 1<<14 - 1 // milliseconds
)

// DefaultTransportParameters returns the parameters of a peer that sends none.
func DefaultTransportParameters() TransportParameters {
	return TransportParameters{
		MaxUDPPayloadSize: DefaultMaxUDPPayloadSize,
		AckDelayExponent:  DefaultAckDelayExponent,
		MaxAckDelay:       DefaultMaxAckDelay,
		ActiveConnIDLimit: DefaultActiveConnIDLimit,
	}
}
