package quictrace

// PacketType is the type of a packet.
type PacketType string

// The types of packets that carry frames.
const (
	Initial   PacketType = "initial"
	ZeroRTT   PacketType = "0RTT"
	Handshake PacketType = "handshake"
	OneRTT    PacketType = "1RTT"
)

// Packet is a packet without its protection.
type Packet struct {
	Type     PacketType
	Number   uint64
	KeyPhase bool   // the bit in the header of a 1-RTT packet
	Size     int    // bytes, with header and protection
	Frames   []byte // as they are on the wire (RFC 9000, Section 19)
}

// PacketSent says that a packet is about to be sent.
type PacketSent struct{ Packet }

// Name implements Event.
func (*PacketSent) Name() string { return "quic:packet_sent" }

// PacketReceived says that a packet has arrived, is authentic, and came for the first time.
type PacketReceived struct{ Packet }

// Name implements Event.
func (*PacketReceived) Name() string { return "quic:packet_received" }

// PacketBuffered says that a packet of Size bytes came before its keys, and is looked at
// again when they are there.
type PacketBuffered struct{ Size int }

// Name implements Event.
func (*PacketBuffered) Name() string { return "quic:packet_buffered" }

// DropTrigger is why a packet was not used.
type DropTrigger string

// Why packets are dropped.
const (
	DropRejected          DropTrigger = "rejected"           // unwilling to take it
	DropUnsupported       DropTrigger = "unsupported"        // of another version
	DropInvalid           DropTrigger = "invalid"            // against the rules
	DropDuplicate         DropTrigger = "duplicate"          // its number came before
	DropDecryptionFailure DropTrigger = "decryption_failure" // not authentic
	DropKeyUnavailable    DropTrigger = "key_unavailable"    // keys are not there, or no longer
	DropGeneral           DropTrigger = "general"            // something else
)

// PacketDropped says that a packet of Size bytes was not used.
type PacketDropped struct {
	Size    int
	Trigger DropTrigger
	Detail  string // what was wrong with it in a few words, if there is more to say
}

// Name implements Event.
func (*PacketDropped) Name() string { return "quic:packet_dropped" }

// LossTrigger is why a packet counts as lost.
type LossTrigger string

// Why packets count as lost.
const (
	LostByOrder LossTrigger = "reordering_threshold" // later ones were acknowledged (RFC 9002, Section 6.1.1)
	LostByTime  LossTrigger = "time_threshold"       // RFC 9002, Section 6.1.2
	LostByRetry LossTrigger = ""                     // a Retry packet made it void: qlog has no name for that
)

// PacketLost says that a sent packet counts as lost.
type PacketLost struct {
	Type    PacketType
	Number  uint64
	Probe   bool // it was one of the search for a larger size of datagrams
	Trigger LossTrigger
}

// Name implements Event.
func (*PacketLost) Name() string { return "quic:packet_lost" }

// ECN is a mark for congestion (RFC 3168).
type ECN string

// The marks.
const (
	NotECT ECN = "Not-ECT"
	ECT1   ECN = "ECT(1)"
	ECT0   ECN = "ECT(0)"
	CE     ECN = "CE"
)

// Datagrams are UDP datagrams that belong together: all but the last have Size bytes.
type Datagrams struct {
	Bytes int // of all their payloads
	Size  int
	ECN   ECN
}

// UDPDatagramsSent says that datagrams are given to the system, all at once.
type UDPDatagramsSent struct{ Datagrams }

// Name implements Event.
func (*UDPDatagramsSent) Name() string { return "quic:udp_datagrams_sent" }

// UDPDatagramsReceived says that a datagram has arrived.
type UDPDatagramsReceived struct{ Datagrams }

// Name implements Event.
func (*UDPDatagramsReceived) Name() string { return "quic:udp_datagrams_received" }

// StreamState is a state of one half of a stream (RFC 9000, Section 3).
type StreamState string

// The states of halves of streams.
const (
	StreamSend          StreamState = "send"
	StreamDataSent      StreamState = "data_sent"
	StreamResetSent     StreamState = "reset_sent"
	StreamResetReceived StreamState = "reset_received"
	StreamReceive       StreamState = "receive"
	StreamSizeKnown     StreamState = "size_known"
	StreamDataReceived  StreamState = "data_received"
	StreamDataRead      StreamState = "data_read"
	StreamResetRead     StreamState = "reset_read"
)

// StreamStateUpdated says that half of a stream has come to a state.
type StreamStateUpdated struct {
	StreamID uint64
	Sending  bool // the half that sends, not the one that receives
	New      StreamState
}

// Name implements Event.
func (*StreamStateUpdated) Name() string { return "quic:stream_state_updated" }

// KeyTrigger is why keys came.
type KeyTrigger string

// The triggers.
const (
	KeyByTLS          KeyTrigger = "tls"
	KeyByRemoteUpdate KeyTrigger = "remote_update" // RFC 9001, Section 6.2
	KeyByLocalUpdate  KeyTrigger = "local_update"  // RFC 9001, Section 6.1
)

// Key is a secret that one end protects packets with. What it is, is not told.
type Key struct {
	Type   PacketType
	Server bool   // the server's packets are protected with it
	Phase  uint64 // how often it was updated; of 1-RTT packets
}

// KeyUpdated says that a key is there.
type KeyUpdated struct {
	Key
	Trigger KeyTrigger
}

// Name implements Event.
func (*KeyUpdated) Name() string { return "quic:key_updated" }

// KeyDiscarded says that a key is gone.
type KeyDiscarded struct{ Key }

// Name implements Event.
func (*KeyDiscarded) Name() string { return "quic:key_discarded" }
