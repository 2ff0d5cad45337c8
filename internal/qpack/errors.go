package qpack

import "errors"

// ErrorCode is an HTTP/3 application error code of RFC 9204, Section 6. All of
// them are connection errors.
type ErrorCode uint64

// The error codes of QPACK.
const (
	DecompressionFailed ErrorCode = 0x200 // a field section cannot be interpreted
	EncoderStreamError  ErrorCode = 0x201 // an encoder instruction cannot be interpreted
	DecoderStreamError  ErrorCode = 0x202 // a decoder instruction cannot be interpreted
)

// String returns the RFC's name of the code.
func (c ErrorCode) String() string {
	switch c {
	case DecompressionFailed:
		return "QPACK_DECOMPRESSION_FAILED"
	case EncoderStreamError:
		return "QPACK_ENCODER_STREAM_ERROR"
	case DecoderStreamError:
		return "QPACK_DECODER_STREAM_ERROR"
	}
	return "unknown QPACK error"
}

// Error is a violation of RFC 9204 by the peer; the connection must be closed
// with its code.
type Error struct {
	Code   ErrorCode
	Reason string
}

// Error says which rule was broken.
func (e *Error) Error() string { return "qpack: " + e.Reason + " (" + e.Code.String() + ")" }

// ErrSectionTooLarge says that a field section is larger, once decoded, than
// the caller allows. It concerns one message, not the connection.
var ErrSectionTooLarge = errors.New("qpack: field section is larger than allowed")

// Errors are values made once: a peer that provokes them costs no allocation.
var (
	errTruncated   = &Error{DecompressionFailed, "field section is truncated"}
	errInteger     = &Error{DecompressionFailed, "integer is longer than 62 bits"}
	errHuffman     = &Error{DecompressionFailed, "invalid Huffman coding"}
	errStaticIndex = &Error{DecompressionFailed, "index beyond the static table"}
	errReference   = &Error{DecompressionFailed, "reference to an entry that is not in the dynamic table"}
	errInsertCount = &Error{DecompressionFailed, "Required Insert Count that cannot be"}
	errBase        = &Error{DecompressionFailed, "base is negative"}
	errBlocked     = &Error{DecompressionFailed, "more blocked streams than allowed"}

	errCapacity        = &Error{EncoderStreamError, "capacity is larger than allowed"}
	errEntryTooLarge   = &Error{EncoderStreamError, "entry is larger than the table"}
	errInsertReference = &Error{EncoderStreamError, "reference to an entry that is not in the dynamic table"}
	errInsertStatic    = &Error{EncoderStreamError, "index beyond the static table"}
	errInsertInteger   = &Error{EncoderStreamError, "integer is longer than 62 bits"}
	errInsertHuffman   = &Error{EncoderStreamError, "invalid Huffman coding"}

	errAckOfNothing  = &Error{DecoderStreamError, "acknowledgment of a field section that was not sent or is acknowledged"}
	errIncrement     = &Error{DecoderStreamError, "insert count increment of 0, or beyond what was inserted"}
	errStreamInteger = &Error{DecoderStreamError, "integer is longer than 62 bits"}
)
