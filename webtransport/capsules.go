package webtransport

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// The capsules of a session (Sections 4.7, 5.6 and 6).
const (
	capsuleClose             h3.CapsuleType = 0x2843
	capsuleDrain             h3.CapsuleType = 0x78ae
	capsuleMaxData           h3.CapsuleType = 0x190b4d3d
	capsuleMaxStreamData     h3.CapsuleType = 0x190b4d3e // of WebTransport over HTTP/2: prohibited
	capsuleMaxStreamsBidi    h3.CapsuleType = 0x190b4d3f
	capsuleMaxStreamsUni     h3.CapsuleType = 0x190b4d40
	capsuleDataBlocked       h3.CapsuleType = 0x190b4d41
	capsuleStreamDataBlocked h3.CapsuleType = 0x190b4d42 // prohibited
	capsuleStreamsBlockedBi  h3.CapsuleType = 0x190b4d43
	capsuleStreamsBlockedUni h3.CapsuleType = 0x190b4d44
)

const (
	// maxReason is the longest reason of WT_CLOSE_SESSION, in bytes (Section 6).
	maxReason = 1024
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
	case capsuleClose:
		return 4 + maxReason
	case capsuleDrain:
		return 0
	case capsuleMaxStreamData, capsuleStreamDataBlocked:
		return 16
	case capsuleMaxData, capsuleMaxStreamsBidi, capsuleMaxStreamsUni,
		capsuleDataBlocked, capsuleStreamsBlockedBi, capsuleStreamsBlockedUni:
		return 8
	}
	return -1
}

// appendClose appends a WT_CLOSE_SESSION capsule.
func appendClose(b []byte, code uint32, reason string) []byte {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(reason)), code)
	return h3.AppendCapsule(b, capsuleClose, append(value, reason...))
}

// parseClose reads the value of a WT_CLOSE_SESSION capsule.
func parseClose(value []byte) (*SessionError, error) {
	if len(value) < 4 || !utf8.Valid(value[4:]) {
		return nil, &h3.StreamError{Code: h3.MessageError, Reason: "WT_CLOSE_SESSION without a code or with a reason that is not UTF-8"}
	}
	return &SessionError{Code: binary.BigEndian.Uint32(value), Reason: string(value[4:]), Remote: true}, nil
}

// truncateReason cuts a reason to what may be sent, between characters.
func truncateReason(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	cut := maxReason
	for cut > 0 && !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}

// handleCapsule acts on a capsule of the peer's. An error ends the session.
func (s *Session) handleCapsule(t *quic.Turn, c h3.Capsule) error {
	switch c.Type {
	case capsuleClose:
		closed, err := parseClose(c.Value)
		if err == nil {
			s.closed = true
			s.peerClosed(t, closed)
		}
		return err
	case capsuleDrain:
		s.drainBegun()
		return nil
	case h3.CapsuleDatagram:
		s.tunnel.PushDatagram(c.Value)
		return nil
	case capsuleMaxStreamData, capsuleStreamDataBlocked:
		return &h3.StreamError{Code: h3.MessageError, Reason: "capsule that WebTransport over HTTP/3 prohibits"} // Section 5.4
	}
	if s.flow == nil {
		return nil // Section 5.1
	}
	v, n := wire.ConsumeVarint(c.Value)
	if n != len(c.Value) || n < 0 {
		return &h3.StreamError{Code: h3.MessageError, Reason: "flow control capsule that is not one integer"}
	}
	return s.flow.handleCapsule(c.Type, v)
}

// appendCapsule appends a capsule that is made of integers.
func appendCapsule(b []byte, t h3.CapsuleType, values ...uint64) []byte {
	var value []byte
	for _, v := range values {
		value = wire.AppendVarint(value, v)
	}
	return h3.AppendCapsule(b, t, value)
}

// tell has flushCapsules called on the loop, once for all there is to say then. Any
// goroutine may call it.
func (s *Session) tell() {
	if s.telling.CompareAndSwap(false, true) {
		s.conn.Run(s.flushCapsules)
	}
}

// flushCapsules sends what the peer has to be told now. While it has not taken what
// it was told before, nothing is sent, and so nothing piles up: what is to be said is
// a few values and not a queue. On the loop.
func (s *Session) flushCapsules(t *quic.Turn) {
	if s.endedWith() != nil || s.tunnel.Unsent(t) > 0 {
		return // with telling set: HandleWritable is the next to look
	}
	s.telling.Store(false)
	var b []byte
	if s.drainWanted.Swap(false) {
		b = appendCapsule(b, capsuleDrain)
	}
	if s.flow != nil {
		b = s.flow.appendCapsules(b)
	}
	if len(b) > 0 {
		s.tunnel.Send(t, b)
	}
}

// HandleWritable implements http3.TunnelWriter, for package http3 to call.
func (s *Session) HandleWritable(t *quic.Turn) {
	if s.telling.Load() {
		s.flushCapsules(t)
	}
}
