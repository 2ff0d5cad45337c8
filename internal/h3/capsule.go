package h3

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/wire"
)

// CapsuleType is the type of a capsule (RFC 9297, Section 3.2).
type CapsuleType uint64

// CapsuleDatagram carries an HTTP datagram (RFC 9297, Section 3.5).
const CapsuleDatagram CapsuleType = 0x00

// Capsule is a capsule whose value is complete.
type Capsule struct {
	Type  CapsuleType
	Value []byte // valid until the next call of Next, and as long as the bytes given to it
}

// AppendCapsule appends a capsule.
func AppendCapsule(b []byte, t CapsuleType, value []byte) []byte {
	return append(AppendFrameHeader(b, FrameType(t), uint64(len(value))), value...)
}

// CapsuleReader finds capsules in the content of a message, which arrives in
// pieces of any size. Values that nobody wants pass by without being stored, and
// others are stored as they arrive, up to a limit.
type CapsuleReader struct {
	limit  func(CapsuleType) int
	frames frameReader // capsules look like frames
	skip   bool        // nobody wants the value at hand
	value  []byte      // what arrived before of the value at hand
}

// NewCapsuleReader returns a reader. limit says how many bytes the value of a
// type of capsule may have; a negative limit means that capsules of the type are
// skipped, as all of unknown types must be (RFC 9297, Section 3.2). So are datagrams
// beyond their limit (Section 3.5).
func NewCapsuleReader(limit func(CapsuleType) int) CapsuleReader { return CapsuleReader{limit: limit} }

// Next looks for the next capsule in b and returns it with the number of bytes
// used up; without one, ok is false and all of b was used. The error is a
// *StreamError: a value is longer than its limit.
func (r *CapsuleReader) Next(b []byte) (c Capsule, ok bool, n int, err error) {
	for {
		if !r.frames.inFrame {
			if n == len(b) {
				return c, false, n, nil
			}
			n += r.frames.readHeader(b[n:])
			if !r.frames.inFrame {
				return c, false, n, nil
			}
			if err := r.begin(); err != nil {
				return c, false, n, err
			}
		}
		piece := r.frames.payload(b[n:])
		n += len(piece)
		complete := r.frames.left == 0
		r.frames.inFrame = !complete
		switch {
		case r.skip && complete:
			continue
		case r.skip:
			return c, false, n, nil
		case !complete:
			r.value = append(r.value, piece...)
			return c, false, n, nil
		case len(r.value) > 0:
			piece, r.value = append(r.value, piece...), nil
		}
		return Capsule{CapsuleType(r.frames.typ), piece}, true, n, nil
	}
}

// Held returns how many bytes are stored of a value that is not complete.
func (r *CapsuleReader) Held() int { return len(r.value) }

// begin looks at the header of a capsule.
func (r *CapsuleReader) begin() error {
	limit := r.limit(CapsuleType(r.frames.typ))
	tooLong := limit >= 0 && r.frames.left > uint64(limit)
	r.skip = limit < 0 || tooLong && CapsuleType(r.frames.typ) == CapsuleDatagram
	if tooLong && !r.skip {
		return malformed(fmt.Sprintf("capsule of type %#x with a value of %d bytes", uint64(r.frames.typ), r.frames.left))
	}
	return nil
}

// Finish returns the error it is when the content ends here: a capsule that is
// not complete makes the message malformed (RFC 9297, Section 3.3).
func (r *CapsuleReader) Finish() error {
	if !r.frames.between() {
		return malformed("content ends within a capsule")
	}
	return nil
}

// AppendQuarterID appends what begins the DATAGRAM frame of an HTTP datagram of a
// request stream (RFC 9297, Section 2.1).
func AppendQuarterID(b []byte, streamID uint64) []byte {
	return wire.AppendVarint(b, streamID/requestStep)
}

// ParseDatagram returns the request stream that an HTTP datagram belongs to, and
// its payload. Errors are connection errors (RFC 9297, Section 2.1).
func ParseDatagram(b []byte) (streamID uint64, payload []byte, err error) {
	quarter, n := wire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, &ConnError{DatagramError, "datagram ends within its quarter stream ID"}
	}
	if quarter > wire.MaxVarint/requestStep {
		return 0, nil, &ConnError{DatagramError, "quarter stream ID of a datagram is too large"}
	}
	return quarter * requestStep, b[n:], nil
}
