package h3

import (
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// ErrorCode is an application error code of HTTP/3. It is carried by
// RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE.
type ErrorCode uint64

// The error codes of RFC 9114, Section 8.1.
const (
	NoError              ErrorCode = 0x100
	GeneralProtocolError ErrorCode = 0x101
	InternalError        ErrorCode = 0x102
	StreamCreationError  ErrorCode = 0x103
	ClosedCriticalStream ErrorCode = 0x104
	FrameUnexpected      ErrorCode = 0x105
	FrameError           ErrorCode = 0x106
	ExcessiveLoad        ErrorCode = 0x107
	IDError              ErrorCode = 0x108
	SettingsError        ErrorCode = 0x109
	MissingSettings      ErrorCode = 0x10a
	RequestRejected      ErrorCode = 0x10b
	RequestCancelled     ErrorCode = 0x10c
	RequestIncomplete    ErrorCode = 0x10d
	MessageError         ErrorCode = 0x10e
	ConnectError         ErrorCode = 0x10f
	VersionFallback      ErrorCode = 0x110
)

// DatagramError is the error code of RFC 9297, Section 5.2.
const DatagramError ErrorCode = 0x33

var errorNames = [...]string{
	"H3_NO_ERROR", "H3_GENERAL_PROTOCOL_ERROR", "H3_INTERNAL_ERROR", "H3_STREAM_CREATION_ERROR",
	"H3_CLOSED_CRITICAL_STREAM", "H3_FRAME_UNEXPECTED", "H3_FRAME_ERROR", "H3_EXCESSIVE_LOAD",
	"H3_ID_ERROR", "H3_SETTINGS_ERROR", "H3_MISSING_SETTINGS", "H3_REQUEST_REJECTED",
	"H3_REQUEST_CANCELLED", "H3_REQUEST_INCOMPLETE", "H3_MESSAGE_ERROR", "H3_CONNECT_ERROR",
	"H3_VERSION_FALLBACK",
}

// String returns the RFC's name of the code, those of QPACK included, or its
// number.
func (c ErrorCode) String() string {
	switch {
	case c >= NoError && c <= VersionFallback:
		return errorNames[c-NoError]
	case c >= ErrorCode(qpack.DecompressionFailed) && c <= ErrorCode(qpack.DecoderStreamError):
		return qpack.ErrorCode(c).String()
	case c == DatagramError:
		return "H3_DATAGRAM_ERROR"
	}
	return fmt.Sprintf("error 0x%x", uint64(c))
}

// ConnError is a violation that concerns the whole connection (RFC 9114,
// Section 8).
type ConnError struct {
	Code   ErrorCode
	Reason string
}

// Error says which rule was broken.
func (e *ConnError) Error() string { return "h3: " + e.Reason + " (" + e.Code.String() + ")" }

// StreamError is a reason to end one request, and not the connection.
type StreamError struct {
	Code   ErrorCode
	Reason string
}

// Error says which rule was broken.
func (e *StreamError) Error() string { return "h3: " + e.Reason + " (" + e.Code.String() + ")" }

// ErrSectionTooLarge says that a header or trailer section is larger than this
// end accepts. A server can answer with status 431 (RFC 9114, Section 4.2.2).
var ErrSectionTooLarge = qpack.ErrSectionTooLarge

// Code returns the code an error of this package or of qpack is to be reported
// with, and whether it is to end the whole connection.
func Code(err error) (code ErrorCode, wholeConn bool) {
	var conn *ConnError
	var stream *StreamError
	var compression *qpack.Error
	switch {
	case errors.As(err, &conn):
		return conn.Code, true
	case errors.As(err, &compression):
		return ErrorCode(compression.Code), true
	case errors.As(err, &stream):
		return stream.Code, false
	case errors.Is(err, ErrSectionTooLarge), errors.Is(err, qpack.ErrBlockedTooLarge):
		return ExcessiveLoad, false
	}
	return InternalError, false
}

func malformed(reason string) error { return &StreamError{MessageError, reason} }
