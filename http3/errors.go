package http3

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// ErrorCode is an application error code of HTTP/3 (RFC 9114, Section 8.1) or of a
// protocol on top of it, as RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE carry it.
type ErrorCode uint64

// The error codes that programs have a use for. Others are used by their numbers.
const (
	ErrCodeNoError          ErrorCode = 0x100
	ErrCodeInternalError    ErrorCode = 0x102
	ErrCodeExcessiveLoad    ErrorCode = 0x107
	ErrCodeRequestRejected  ErrorCode = 0x10b // not processed: may be sent again
	ErrCodeRequestCancelled ErrorCode = 0x10c // no longer wanted
	ErrCodeMessageError     ErrorCode = 0x10e // malformed
	ErrCodeVersionFallback  ErrorCode = 0x110 // to be sent over HTTP/1.1
)

// String returns the code's name in the RFC, like H3_NO_ERROR, those of QPACK (RFC 9204)
// and of datagrams (RFC 9297) included, or its number.
func (c ErrorCode) String() string { return h3.ErrorCode(c).String() }

// Error says that a request, or the connection with all of its requests, was
// ended with an error code. It is found by errors.As.
type Error struct {
	Code ErrorCode
	// Remote says that the peer ended it.
	Remote bool
	// WholeConn says that the connection was closed, not just the stream.
	WholeConn bool
	// Reason is what the peer gave as a reason, or what this end found wrong.
	Reason string

	cause error
}

// Error says who ended what, with which code and why.
func (e *Error) Error() string {
	s := "http3: "
	if e.Remote {
		s += "peer "
	}
	if e.WholeConn {
		s += "closed the connection: "
	} else {
		s += "reset the request: "
	}
	s += e.Code.String()
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

// Unwrap returns the error of package quic behind e, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// resetBy returns the error of a stream that this end has reset.
func resetBy(code h3.ErrorCode, reason string, cause error) *Error {
	return &Error{Code: ErrorCode(code), Reason: reason, cause: cause}
}

// describe turns errors of package quic and of the protocol's lower layers that carry an
// HTTP/3 code into *Error, and returns others as they are. It and resetBy make all of
// them.
func describe(err error) error {
	var stream *quic.StreamError
	var app *quic.ApplicationError
	var malformed *h3.StreamError
	var violation *h3.ConnError
	var compression *qpack.Error
	switch {
	case errors.As(err, &stream):
		return &Error{Code: ErrorCode(stream.Code), Remote: stream.Remote, cause: err}
	case errors.As(err, &app):
		return &Error{Code: ErrorCode(app.Code), Remote: app.Remote, WholeConn: true, Reason: app.Reason, cause: err}
	case errors.As(err, &malformed):
		return resetBy(malformed.Code, malformed.Reason, err)
	case errors.As(err, &violation):
		return &Error{Code: ErrorCode(violation.Code), WholeConn: true, Reason: violation.Reason, cause: err}
	case errors.As(err, &compression):
		return &Error{Code: ErrorCode(compression.Code), WholeConn: true, Reason: compression.Reason, cause: err}
	case errors.Is(err, h3.ErrSectionTooLarge):
		return resetBy(h3.ExcessiveLoad, "header or trailer section is larger than allowed", err)
	case errors.Is(err, qpack.ErrBlockedTooLarge):
		return resetBy(h3.ExcessiveLoad, "too many large field sections wait for the dynamic table", err)
	}
	return err
}
