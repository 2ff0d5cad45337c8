package quictrace

import (
	"net/netip"
	"time"
)

// ConnectionStarted says that a client begins a connection, or a server accepts one.
type ConnectionStarted struct {
	Local  netip.Addr // invalid while it is not known
	Remote netip.AddrPort
	// LocalID and RemoteID are the connection IDs of the first packets.
	LocalID, RemoteID []byte
}

// Name implements Event, and so do the other methods of this name.
func (*ConnectionStarted) Name() string { return "quic:connection_started" }

// State is a state of a connection.
type State string

// The states that a connection goes through, some of them.
const (
	StateAttempted State = "attempted"           // a client's first packet is about to leave
	StateComplete  State = "handshake_complete"  // RFC 9001, Section 4.1.1
	StateConfirmed State = "handshake_confirmed" // RFC 9001, Section 4.1.2
	StateClosing   State = "closing"             // RFC 9000, Section 10.2.1
	StateDraining  State = "draining"            // RFC 9000, Section 10.2.2
	StateClosed    State = "closed"              // it is forgotten: the last event
)

// ConnectionStateUpdated says that a connection has come to a state.
type ConnectionStateUpdated struct {
	Old State // empty at first
	New State
}

// Name implements Event.
func (*ConnectionStateUpdated) Name() string { return "quic:connection_state_updated" }

// CloseTrigger is why a connection ended.
type CloseTrigger string

// Why connections end.
const (
	CloseIdle            CloseTrigger = "idle_timeout"
	CloseApplication     CloseTrigger = "application" // one of the applications closed it
	CloseError           CloseTrigger = "error"       // a transport error, with its code
	CloseVersionMismatch CloseTrigger = "version_mismatch"
	CloseStatelessReset  CloseTrigger = "stateless_reset"
	CloseAborted         CloseTrigger = "aborted" // the handshake took too long
	CloseUnspecified     CloseTrigger = "unspecified"
)

// ConnectionClosed says that the connection has ended for the application. Packets that
// tell the peer so, and others that arrive until it is forgotten, come after it.
type ConnectionClosed struct {
	Trigger CloseTrigger
	// Remote says that the peer ended it.
	Remote bool
	// Code is the application's error code with CloseApplication, the transport's with
	// CloseError, and 0 else.
	Code uint64
	// Reason is for people.
	Reason string
}

// Name implements Event.
func (*ConnectionClosed) Name() string { return "quic:connection_closed" }

// ConnectionIDUpdated says that packets have another destination from now on: those of this
// end if Remote, with an ID that the peer made, or the peer's, with one of this end's.
type ConnectionIDUpdated struct {
	Remote   bool
	Old, New []byte
}

// Name implements Event.
func (*ConnectionIDUpdated) Name() string { return "quic:connection_id_updated" }

// MTUUpdated says how large UDP payloads may be, in bytes, on the path in use.
type MTUUpdated struct {
	Old int // 0 at first
	New int
}

// Name implements Event.
func (*MTUUpdated) Name() string { return "quic:mtu_updated" }

// VersionInformation says which version of QUIC the connection has, as far as is known
// now, and what each side has to offer, nil where that is not known.
type VersionInformation struct {
	Chosen         uint32
	Client, Server []uint32
}

// Name implements Event.
func (*VersionInformation) Name() string { return "quic:version_information" }

// ALPNInformation says which application protocol was agreed on (RFC 7301).
type ALPNInformation struct{ Chosen string }

// Name implements Event.
func (*ALPNInformation) Name() string { return "quic:alpn_information" }

// ParametersSet has the transport parameters of this end or, if Remote, of the peer
// (RFC 9000, Section 18.2). Tokens, which are secrets, are left out.
type ParametersSet struct {
	Remote bool

	// The connection IDs are nil where there are none, empty where they are empty.
	OriginalDestinationConnectionID, InitialSourceConnectionID, RetrySourceConnectionID []byte

	DisableActiveMigration                                        bool
	MaxIdleTimeout                                                time.Duration
	MaxUDPPayloadSize                                             uint64
	AckDelayExponent                                              uint64
	MaxAckDelay                                                   time.Duration
	ActiveConnectionIDLimit                                       uint64
	InitialMaxData                                                uint64
	InitialMaxStreamDataBidiLocal, InitialMaxStreamDataBidiRemote uint64
	InitialMaxStreamDataUni                                       uint64
	InitialMaxStreamsBidi, InitialMaxStreamsUni                   uint64

	MaxDatagramFrameSize uint64 // RFC 9221
	GreaseQUICBit        bool   // RFC 9287
	ResetStreamAt        bool   // draft-ietf-quic-reliable-stream-reset
}

// Name implements Event.
func (*ParametersSet) Name() string { return "quic:parameters_set" }
