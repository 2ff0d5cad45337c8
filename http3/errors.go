package http3

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// ErrorCode is an application error code of HTTP/3 (RFC 9114, Section 8.1).
type ErrorCode = h3.ErrorCode

// The error codes that programs have a use for.
const (
	ErrCodeNoError          = h3.NoError
	ErrCodeInternalError    = h3.InternalError
	ErrCodeExcessiveLoad    = h3.ExcessiveLoad
	ErrCodeRequestRejected  = h3.RequestRejected  // not processed: may be sent again
	ErrCodeRequestCancelled = h3.RequestCancelled // no longer wanted
	ErrCodeMessageError     = h3.MessageError     // malformed
	ErrCodeVersionFallback  = h3.VersionFallback  // to be sent over HTTP/1.1
)

// Error says that a request, or the connection with all of its requests, was
// ended with an error code.
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

// describe turns errors of package quic and of the protocol's lower layers that
// carry an HTTP/3 code into *Error and returns others as they are.
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
		return &Error{Code: malformed.Code, Reason: malformed.Reason, cause: err}
	case errors.As(err, &violation):
		return &Error{Code: violation.Code, WholeConn: true, Reason: violation.Reason, cause: err}
	case errors.As(err, &compression):
		return &Error{Code: ErrorCode(compression.Code), WholeConn: true, Reason: compression.Reason, cause: err}
	case errors.Is(err, h3.ErrSectionTooLarge):
		return &Error{Code: ErrCodeExcessiveLoad, Reason: "header or trailer section is larger than allowed", cause: err}
	case errors.Is(err, qpack.ErrBlockedTooLarge):
		return &Error{Code: ErrCodeExcessiveLoad, Reason: "too many large field sections wait for the dynamic table", cause: err}
	}
	return err
}

// canceledError is why a client has cancelled a request or is gone, as the cause of
// the request's context. Programs look for context.Canceled there, which is all that
// net/http's servers tell.
type canceledError struct{ cause error }

// canceledBy returns an error that is context.Canceled and its cause.
func canceledBy(cause error) error {
	if cause == nil || errors.Is(cause, context.Canceled) {
		return cause
	}
	return &canceledError{cause}
}

func (e *canceledError) Error() string        { return e.cause.Error() }
func (e *canceledError) Unwrap() error        { return e.cause }
func (e *canceledError) Is(target error) bool { return target == context.Canceled }

// requestError says which server a request failed at. It is a net.Error.
type requestError struct {
	addr  string
	cause error
}

// requestFailed returns the error of a request that failed. That of the
// request's own context is returned as it is, which is what callers look for.
func requestFailed(ctx context.Context, addr string, cause error) error {
	if ctx.Err() != nil && cause == context.Cause(ctx) {
		return cause
	}
	return &requestError{addr, cause}
}

// result is the error of a request whose last attempt failed. That of the user's own
// body is returned as it is, as net/http does it.
func (e *attemptError) result(ctx context.Context, addr string) error {
	if e.own {
		return e.cause
	}
	return requestFailed(ctx, addr, e.cause)
}

func (e *requestError) Error() string {
	text := strings.TrimPrefix(e.cause.Error(), "http3: ")
	if !strings.Contains(text, e.addr) {
		text = e.addr + ": " + text
	}
	return "http3: " + text
}

func (e *requestError) Unwrap() error { return e.cause }

// Timeout reports whether the server did not answer in time.
func (e *requestError) Timeout() bool {
	var timeout net.Error
	return errors.As(e.cause, &timeout) && timeout.Timeout()
}

// Temporary is there for net.Error, which has not given up its name yet.
func (e *requestError) Temporary() bool { return false }

var _ net.Error = (*requestError)(nil)
