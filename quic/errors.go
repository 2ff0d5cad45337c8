package quic

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

var (
	// ErrClosed: the listener or transport was closed. errors.Is finds net.ErrClosed in it.
	ErrClosed error = closedError("quic: listener or transport closed")
	// ErrWriteClosed: a write on a stream after Close. errors.Is finds net.ErrClosed in it.
	ErrWriteClosed error = closedError("quic: write on a closed stream")
	// ErrStatelessReset: the peer does not know the connection any more, most likely
	// because it was restarted (RFC 9000, Section 10.3).
	ErrStatelessReset = errors.New("quic: the peer has lost the connection's state")
)

// closedError is the error of using what this side has closed.
type closedError string

func (e closedError) Error() string { return string(e) }

// Is makes it a net.ErrClosed, as package net's errors of that kind are.
func (e closedError) Is(target error) bool { return target == net.ErrClosed }

// StreamError is the error of a stream of which one half was cancelled.
type StreamError struct {
	StreamID uint64
	Code     uint64 // the application's
	Remote   bool   // the peer cancelled, not this side
}

func (e *StreamError) Error() string {
	if e.Remote {
		return fmt.Sprintf("quic: stream %d cancelled by the peer with code %#x", e.StreamID, e.Code)
	}
	return fmt.Sprintf("quic: stream %d cancelled with code %#x", e.StreamID, e.Code)
}

// ApplicationError is the error of a connection that an application closed,
// by Conn.CloseWithError or its like on the other side. If this side closed, errors.Is finds
// net.ErrClosed in it.
type ApplicationError struct {
	Code   uint64 // the application's, below 1<<62
	Reason string // for people
	Remote bool   // the peer closed, not this side
}

func (e *ApplicationError) Error() string {
	who := "closed"
	if e.Remote {
		who = "closed by the peer"
	}
	return fmt.Sprintf("quic: connection %s with code %#x%s", who, e.Code, suffix(e.Reason))
}

// Is makes an error of what this side has closed a net.ErrClosed.
func (e *ApplicationError) Is(target error) bool { return target == net.ErrClosed && !e.Remote }

// TransportError is the error of a connection that ended because something
// was wrong with the protocol or the TLS handshake.
type TransportError struct {
	Code      uint64 // RFC 9000, Section 20.1; a TLS alert is 0x100 more than its number
	FrameType uint64 // of the frame that was the trigger, 0 if unknown
	Reason    string // for people
	Remote    bool   // the peer found the fault, not this side
	Err       error  // the cause if it is on this side, e.g. an x509 error
}

func (e *TransportError) Error() string {
	code := wire.ErrorCode(e.Code)
	switch {
	case e.Remote:
		return fmt.Sprintf("quic: the peer closed the connection: %v%s", code, suffix(e.Reason))
	case code.IsCrypto() && e.Err != nil:
		return fmt.Sprintf("quic: TLS handshake: %v", e.Err)
	}
	return fmt.Sprintf("quic: connection failed: %v%s", code, suffix(e.Reason))
}

// Unwrap returns Err.
func (e *TransportError) Unwrap() error { return e.Err }

func suffix(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// IdleTimeoutError is the error of a connection on which nothing arrived for
// too long. It is a net.Error with Timeout.
type IdleTimeoutError struct {
	After time.Duration // the idle timeout that both sides agreed on
}

func (e *IdleTimeoutError) Error() string {
	return fmt.Sprintf("quic: nothing arrived from the peer for %v", e.After)
}

// Timeout returns true.
func (e *IdleTimeoutError) Timeout() bool { return true }

// Temporary returns false: the connection is gone.
func (e *IdleTimeoutError) Temporary() bool { return false }

// HandshakeTimeoutError is the error of a handshake that took too long. It is
// a net.Error with Timeout.
type HandshakeTimeoutError struct {
	After    time.Duration // Config.HandshakeTimeout
	Remote   netip.AddrPort
	Answered bool // the peer sent something, but not enough
}

func (e *HandshakeTimeoutError) Error() string {
	if e.Answered {
		return fmt.Sprintf("quic: handshake with %v not complete within %v", e.Remote, e.After)
	}
	return fmt.Sprintf("quic: no answer from %v within %v (is a QUIC server listening on this UDP port?)", e.Remote, e.After)
}

// Timeout returns true.
func (e *HandshakeTimeoutError) Timeout() bool { return true }

// Temporary returns false: a new connection is needed.
func (e *HandshakeTimeoutError) Temporary() bool { return false }

// VersionNegotiationError is the error of dialling a server that has none of
// Config.Versions. Theirs may contain ones that are not known here, and such as are
// reserved to see whether clients mind (RFC 9000, Section 6.3).
type VersionNegotiationError struct{ Ours, Theirs []Version }

func (e *VersionNegotiationError) Error() string {
	return fmt.Sprintf("quic: the server speaks none of our QUIC versions: ours %v, its %v", e.Ours, e.Theirs)
}

var (
	_ net.Error = (*IdleTimeoutError)(nil)
	_ net.Error = (*HandshakeTimeoutError)(nil)
)
