package h3

import (
	"encoding/binary"
	"fmt"

	"github.com/godwit-quic/godwit/internal/wire"
)

// FrameType is the type of an HTTP/3 frame (RFC 9114, Section 7.2).
type FrameType uint64

// The frame types of RFC 9114.
const (
	FrameData        FrameType = 0x00
	FrameHeaders     FrameType = 0x01
	FrameCancelPush  FrameType = 0x03
	FrameSettings    FrameType = 0x04
	FramePushPromise FrameType = 0x05
	FrameGoAway      FrameType = 0x07
	FrameMaxPushID   FrameType = 0x0d
)

// String returns the RFC's name of the type, or its number.
func (t FrameType) String() string {
	switch t {
	case FrameData:
		return "DATA"
	case FrameHeaders:
		return "HEADERS"
	case FrameCancelPush:
		return "CANCEL_PUSH"
	case FrameSettings:
		return "SETTINGS"
	case FramePushPromise:
		return "PUSH_PROMISE"
	case FrameGoAway:
		return "GOAWAY"
	case FrameMaxPushID:
		return "MAX_PUSH_ID"
	case FramePriorityUpdate, FramePriorityUpdatePush:
		return "PRIORITY_UPDATE"
	}
	return fmt.Sprintf("frame type 0x%x", uint64(t))
}

// isHTTP2 reports whether t is a frame type of HTTP/2 without a counterpart,
// which must not be sent (RFC 9114, Section 7.2.8).
func (t FrameType) isHTTP2() bool {
	return t == 0x02 || t == 0x06 || t == 0x08 || t == 0x09
}

func unexpected(t FrameType, where string) error {
	return &ConnError{FrameUnexpected, t.String() + " " + where}
}

// MaxFrameHeaderSize is the size of the longest frame header, in bytes.
const MaxFrameHeaderSize = 16

// AppendFrameHeader appends the header of a frame whose payload of length bytes
// follows, 1<<62 - 1 at most.
func AppendFrameHeader(b []byte, t FrameType, length uint64) []byte {
	return wire.AppendVarint(wire.AppendVarint(b, uint64(t)), length)
}

// headersLengthSize is the room BeginHeaders leaves for the length: a varint of
// two bytes holds what almost every section needs.
const headersLengthSize = 2

// BeginHeaders appends the header of a HEADERS frame with room for its length.
// The encoded section is to be appended next, and then EndHeaders called with
// the mark.
func BeginHeaders(b []byte) (out []byte, mark int) {
	b = append(b, byte(FrameHeaders), 0, 0)
	return b, len(b)
}

// EndHeaders fills in the length of the HEADERS frame that ends b and whose
// payload begins at mark.
func EndHeaders(b []byte, mark int) []byte {
	const maxShort = 1<<14 - 1
	length := len(b) - mark
	if length <= maxShort {
		binary.BigEndian.PutUint16(b[mark-headersLengthSize:], uint16(length)|1<<14)
		return b
	}
	size := wire.SizeVarint(uint64(length))
	b = append(b, make([]byte, size-headersLengthSize)...)
	copy(b[mark+size-headersLengthSize:], b[mark:mark+length])
	wire.AppendVarint(b[:mark-headersLengthSize], uint64(length))
	return b
}

// frameReader finds the frames in a stream whose bytes arrive in pieces of any
// size. Payloads pass through; only an incomplete header is kept.
type frameReader struct {
	typ     FrameType
	left    uint64 // of the payload, in bytes; valid with inFrame
	inFrame bool   // the header is complete, the payload may be not
	partial uint8  // bytes in header
	header  [MaxFrameHeaderSize]byte
}

// readHeader consumes a frame header or the part of it that b holds; inFrame
// says afterwards whether it is complete.
func (r *frameReader) readHeader(b []byte) (n int) {
	if r.partial == 0 {
		if n = r.parse(b); n > 0 {
			return n
		}
	}
	before := int(r.partial)
	copied := copy(r.header[before:], b)
	if n = r.parse(r.header[:before+copied]); n > 0 {
		r.partial = 0
		return n - before
	}
	r.partial += uint8(copied)
	return copied
}

// parse reads a complete header at the beginning of b and returns its size, or
// 0 when b does not hold all of it.
func (r *frameReader) parse(b []byte) int {
	typ, n := wire.ConsumeVarint(b)
	if n < 0 {
		return 0
	}
	length, m := wire.ConsumeVarint(b[n:])
	if m < 0 {
		return 0
	}
	r.typ, r.left, r.inFrame = FrameType(typ), length, true
	return n + m
}

// payload returns the part of b that belongs to the current frame and takes it
// off what is left of the frame.
func (r *frameReader) payload(b []byte) []byte {
	if uint64(len(b)) > r.left {
		b = b[:r.left]
	}
	r.left -= uint64(len(b))
	return b
}

// between reports whether the stream may end here: no frame has begun.
func (r *frameReader) between() bool { return !r.inFrame && r.partial == 0 }
