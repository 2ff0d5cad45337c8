package http3

import (
	"context"
	"errors"
	"net"
	"strings"
)

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
