package wire

import "fmt"

// FrameType is the type of a frame, including the flags that STREAM and
// DATAGRAM frames carry in it.
type FrameType uint64

// The frame types of RFC 9000, Section 19, RFC 9221, Section 4, and
// draft-ietf-quic-reliable-stream-reset, Section 4.
const (
	FramePadding            FrameType = 0x00
	FramePing               FrameType = 0x01
	FrameAck                FrameType = 0x02
	FrameAckECN             FrameType = 0x03
	FrameResetStream        FrameType = 0x04
	FrameStopSending        FrameType = 0x05
	FrameCrypto             FrameType = 0x06
	FrameNewToken           FrameType = 0x07
	FrameStream             FrameType = 0x08 // to 0x0f, see StreamFin and others
	FrameMaxData            FrameType = 0x10
	FrameMaxStreamData      FrameType = 0x11
	FrameMaxStreamsBidi     FrameType = 0x12
	FrameMaxStreamsUni      FrameType = 0x13
	FrameDataBlocked        FrameType = 0x14
	FrameStreamDataBlocked  FrameType = 0x15
	FrameStreamsBlockedBidi FrameType = 0x16
	FrameStreamsBlockedUni  FrameType = 0x17
	FrameNewConnectionID    FrameType = 0x18
	FrameRetireConnectionID FrameType = 0x19
	FramePathChallenge      FrameType = 0x1a
	FramePathResponse       FrameType = 0x1b
	FrameConnectionClose    FrameType = 0x1c
	FrameConnectionCloseApp FrameType = 0x1d
	FrameHandshakeDone      FrameType = 0x1e
	FrameResetStreamAt      FrameType = 0x24
	FrameDatagram           FrameType = 0x30
	FrameDatagramLen        FrameType = 0x31
)

// The flags in a STREAM frame's type (RFC 9000, Section 19.8).
const (
	StreamFin FrameType = 0x01 // the frame ends the stream
	StreamLen FrameType = 0x02 // a Length field is present
	StreamOff FrameType = 0x04 // an Offset field is present

	streamFlags = StreamFin | StreamLen | StreamOff
)

// IsStream reports whether t is one of the eight STREAM frame types.
func (t FrameType) IsStream() bool { return t&^streamFlags == FrameStream }

// allowed says in which packets a frame may come, one bit for each PacketType.
type allowed uint8

const (
	inInitial   = allowed(1) << InitialPacket
	inZeroRTT   = allowed(1) << ZeroRTTPacket
	inHandshake = allowed(1) << HandshakePacket
	inOneRTT    = allowed(1) << OneRTTPacket

	inAll     = inInitial | inHandshake | inZeroRTT | inOneRTT
	inNonZero = inInitial | inHandshake | inOneRTT
	inApp     = inZeroRTT | inOneRTT
)

// frameInfo is the row of a frame type in the table of RFC 9000, Section 12.4.
type frameInfo struct {
	name       string
	in         allowed
	notElicits bool // column Spec, "N"
}

var frameTable = [...]frameInfo{
	FramePadding:            {"PADDING", inAll, true},
	FramePing:               {"PING", inAll, false},
	FrameAck:                {"ACK", inNonZero, true},
	FrameAckECN:             {"ACK", inNonZero, true},
	FrameResetStream:        {"RESET_STREAM", inApp, false},
	FrameStopSending:        {"STOP_SENDING", inApp, false},
	FrameCrypto:             {"CRYPTO", inNonZero, false},
	FrameNewToken:           {"NEW_TOKEN", inOneRTT, false},
	FrameStream:             {"STREAM", inApp, false},
	0x09:                    {"STREAM", inApp, false},
	0x0a:                    {"STREAM", inApp, false},
	0x0b:                    {"STREAM", inApp, false},
	0x0c:                    {"STREAM", inApp, false},
	0x0d:                    {"STREAM", inApp, false},
	0x0e:                    {"STREAM", inApp, false},
	0x0f:                    {"STREAM", inApp, false},
	FrameMaxData:            {"MAX_DATA", inApp, false},
	FrameMaxStreamData:      {"MAX_STREAM_DATA", inApp, false},
	FrameMaxStreamsBidi:     {"MAX_STREAMS", inApp, false},
	FrameMaxStreamsUni:      {"MAX_STREAMS", inApp, false},
	FrameDataBlocked:        {"DATA_BLOCKED", inApp, false},
	FrameStreamDataBlocked:  {"STREAM_DATA_BLOCKED", inApp, false},
	FrameStreamsBlockedBidi: {"STREAMS_BLOCKED", inApp, false},
	FrameStreamsBlockedUni:  {"STREAMS_BLOCKED", inApp, false},
	FrameNewConnectionID:    {"NEW_CONNECTION_ID", inApp, false},
	FrameRetireConnectionID: {"RETIRE_CONNECTION_ID", inApp, false},
	FramePathChallenge:      {"PATH_CHALLENGE", inApp, false},
	FramePathResponse:       {"PATH_RESPONSE", inOneRTT, false},
	FrameConnectionClose:    {"CONNECTION_CLOSE", inAll, true},
	FrameConnectionCloseApp: {"CONNECTION_CLOSE", inApp, true},
	FrameHandshakeDone:      {"HANDSHAKE_DONE", inOneRTT, false},
	FrameResetStreamAt:      {"RESET_STREAM_AT", inApp, false},
	FrameDatagram:           {"DATAGRAM", inApp, false},
	FrameDatagramLen:        {"DATAGRAM", inApp, false},
}

// info returns t's row; one without a name for types nobody defined.
func (t FrameType) info() frameInfo {
	if t < FrameType(len(frameTable)) {
		return frameTable[t]
	}
	return frameInfo{}
}

// String returns the RFC's name of the frame, or the number in hexadecimal
// when it has none.
func (t FrameType) String() string {
	if name := t.info().name; name != "" {
		return name
	}
	return fmt.Sprintf("frame 0x%x", uint64(t))
}

// AckEliciting reports whether a packet with such a frame must be
// acknowledged: all but PADDING, ACK and CONNECTION_CLOSE (RFC 9002,
// Section 2).
func (t FrameType) AckEliciting() bool { return !t.info().notElicits }

// AllowedIn reports whether a frame of type t may come in a packet of type p
// (RFC 9000, Section 12.4, column Pkts). It returns false for unknown types.
func AllowedIn(t FrameType, p PacketType) bool { return t.info().in>>p&1 != 0 }

// ConsumeFrameType reads the type of the frame at the beginning of b. It
// returns -1 when the type is truncated or not encoded in as few bytes as
// possible, a PROTOCOL_VIOLATION (RFC 9000, Section 12.4). The type may be
// unknown: AllowedIn tells.
func ConsumeFrameType(b []byte) (FrameType, int) {
	if len(b) > 0 && b[0] < 1<<6 {
		return FrameType(b[0]), 1
	}
	v, n := ConsumeVarint(b)
	if n < 0 || n != SizeVarint(v) {
		return 0, -1
	}
	return FrameType(v), n
}
