package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TransportError ends a connection with a transport error code
// (RFC 9000, Section 20.1).
type TransportError struct {
	Code   wire.ErrorCode
	Frame  wire.FrameType // the frame that triggered it, 0 if unknown
	Reason string
	Remote bool  // the peer closed, not this side
	Err    error // the cause on this side, e.g. a certificate error
}

func (e *TransportError) Error() string {
	who := "local"
	if e.Remote {
		who = "peer's"
	}
	if e.Reason == "" {
		return fmt.Sprintf("%s transport error %v", who, e.Code)
	}
	return fmt.Sprintf("%s transport error %v: %s", who, e.Code, e.Reason)
}

// Unwrap returns the cause on this side.
func (e *TransportError) Unwrap() error { return e.Err }

// ApplicationError ends a connection with an application's code
// (RFC 9000, Section 20.2).
type ApplicationError struct {
	Code   uint64
	Reason string
	Remote bool
}

func (e *ApplicationError) Error() string {
	who := "closed"
	if e.Remote {
		who = "closed by the peer"
	}
	if e.Reason == "" {
		return fmt.Sprintf("connection %s with application error %#x", who, e.Code)
	}
	return fmt.Sprintf("connection %s with application error %#x: %s", who, e.Code, e.Reason)
}

// IdleTimeoutError ends a connection on which nothing arrived for After
// (RFC 9000, Section 10.1).
type IdleTimeoutError struct{ After time.Duration }

func (e *IdleTimeoutError) Error() string {
	return fmt.Sprintf("connection idle: nothing arrived for %v", e.After)
}

// HandshakeTimeoutError ends a connection whose handshake took longer than After.
type HandshakeTimeoutError struct {
	After    time.Duration
	Answered bool // at least one packet of the peer arrived
}

func (e *HandshakeTimeoutError) Error() string {
	if !e.Answered {
		return fmt.Sprintf("no answer within %v", e.After)
	}
	return fmt.Sprintf("handshake not complete within %v", e.After)
}

// VersionNegotiationError: the server speaks none of our versions.
type VersionNegotiationError struct{ Ours, Theirs []wire.Version }

func (e *VersionNegotiationError) Error() string {
	return fmt.Sprintf("no common QUIC version: ours %v, theirs %v", e.Ours, e.Theirs)
}

// StreamError ends one half of a stream.
type StreamError struct {
	StreamID uint64
	Code     uint64
	Remote   bool
}

func (e *StreamError) Error() string {
	who := "locally"
	if e.Remote {
		who = "by the peer"
	}
	return fmt.Sprintf("stream %d cancelled %s with code %#x", e.StreamID, who, e.Code)
}

// Errors without further data.
var (
	// ErrStatelessReset: the peer lost its state (RFC 9000, Section 10.3).
	ErrStatelessReset = errors.New("connection reset by the peer, which no longer knows it")
	// ErrStreamLimit: the peer's limit allows no further stream now.
	ErrStreamLimit = errors.New("stream limit reached")
	// ErrClosed: the connection is closed.
	ErrClosed = errors.New("connection closed")
	// ErrKeyUpdateTooSoon: the previous update is not confirmed yet.
	ErrKeyUpdateTooSoon = errors.New("key update not possible yet")
)

// resetError is what Read returns after RESET_STREAM.
func resetError(id wire.StreamID, code uint64) error {
	return &StreamError{StreamID: uint64(id), Code: code, Remote: true}
}

func protocolError(code wire.ErrorCode, frame wire.FrameType, reason string) *TransportError {
	return &TransportError{Code: code, Frame: frame, Reason: reason}
}
