package wt

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

// The capsules of a session (Sections 4.7, 5.6 and 6).
const (
	CapsuleClose              h3.CapsuleType = 0x2843
	CapsuleDrain              h3.CapsuleType = 0x78ae
	CapsuleMaxData            h3.CapsuleType = 0x190b4d3d
	CapsuleMaxStreamData      h3.CapsuleType = 0x190b4d3e // of WebTransport over HTTP/2: prohibited
	CapsuleMaxStreamsBidi     h3.CapsuleType = 0x190b4d3f
	CapsuleMaxStreamsUni      h3.CapsuleType = 0x190b4d40
	CapsuleDataBlocked        h3.CapsuleType = 0x190b4d41
	CapsuleStreamDataBlocked  h3.CapsuleType = 0x190b4d42 // prohibited
	CapsuleStreamsBlockedBidi h3.CapsuleType = 0x190b4d43
	CapsuleStreamsBlockedUni  h3.CapsuleType = 0x190b4d44
)

const (
	// MaxReason is the longest reason of WT_CLOSE_SESSION, in bytes (Section 6).
	MaxReason = 1024
	// maxDatagramCapsule is the longest datagram that is taken from a capsule:
	// as long as the largest in a frame. What is longer is dropped (RFC 9297,
	// Section 3.5).
	maxDatagramCapsule = 1<<16 - 1
	// maxStreamCount is the highest limit of streams that means anything
	// (Section 5.6.2).
	maxStreamCount = 1 << 60
)

// capsuleLimit is how many bytes a capsule of a type may have; the unknown are
// skipped, without being stored (RFC 9297, Section 3.2).
func capsuleLimit(t h3.CapsuleType) int {
	switch t {
	case h3.CapsuleDatagram:
		return maxDatagramCapsule
	case CapsuleClose:
		return 4 + MaxReason
	case CapsuleDrain:
		return 0
	case CapsuleMaxStreamData, CapsuleStreamDataBlocked:
		return 16
	case CapsuleMaxData, CapsuleMaxStreamsBidi, CapsuleMaxStreamsUni,
		CapsuleDataBlocked, CapsuleStreamsBlockedBidi, CapsuleStreamsBlockedUni:
		return 8
	}
	return -1
}

// appendClose appends a WT_CLOSE_SESSION capsule.
func appendClose(b []byte, code uint32, reason string) []byte {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(reason)), code)
	return h3.AppendCapsule(b, CapsuleClose, append(value, reason...))
}

// parseClose reads the value of a WT_CLOSE_SESSION capsule.
func parseClose(value []byte) (*SessionError, error) {
	if len(value) < 4 || !utf8.Valid(value[4:]) {
		return nil, malformed("WT_CLOSE_SESSION without a code or with a reason that is not UTF-8")
	}
	return &SessionError{Code: binary.BigEndian.Uint32(value), Reason: string(value[4:]), Remote: true}, nil
}

// truncateReason cuts a reason to what may be sent, between characters.
func truncateReason(reason string) string {
	if len(reason) <= MaxReason {
		return reason
	}
	cut := MaxReason
	for cut > 0 && !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}

// appendCapsule appends a capsule that is made of one integer, or of none.
func appendCapsule(b []byte, t h3.CapsuleType, values ...uint64) []byte {
	var room [8]byte
	value := room[:0]
	for _, v := range values {
		value = wire.AppendVarint(value, v)
	}
	return h3.AppendCapsule(b, t, value)
}

func malformed(reason string) error { return &h3.StreamError{Code: h3.MessageError, Reason: reason} }
