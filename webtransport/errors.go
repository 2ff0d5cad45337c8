package webtransport

import (
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/wt"
)

var (
	// ErrNotEnabled: the request came to a server without Enable, or not over
	// HTTP/3. The client has been answered with status 501.
	ErrNotEnabled = errors.New("webtransport: not enabled for the server, or not a request over HTTP/3")
	// ErrNotWebTransport: the request does not ask for WebTransport. The client has been
	// answered with status 405: WebTransport's method is CONNECT, with a protocol.
	ErrNotWebTransport = errors.New("webtransport: not a request for a session")
	// ErrOrigin: the request's Origin is not allowed.
	ErrOrigin = errors.New("webtransport: request from an origin that is not allowed")
	// ErrTooManySessions: the connection has as many sessions as it may have.
	ErrTooManySessions = wt.ErrTooManySessions
	// ErrNotSupported: the server does not offer WebTransport, or no draft of
	// it that is spoken here.
	ErrNotSupported = wt.ErrNotSupported
	// ErrProtocol: no subprotocol fits. The client offers none that the server has, or the
	// server chose none, or one that was not offered.
	ErrProtocol = wt.ErrProtocol
)

// errStatus says that an UpgradeConfig is not as it should be.
var errStatus = errors.New("webtransport: UpgradeConfig.Status is not from 200 to 299")

// SessionError says that a session was closed with a code and a reason, by this
// end or by the peer. A stream that is finished without a word counts as code 0.
type SessionError struct {
	Code   uint32
	Reason string // at most 1024 bytes
	Remote bool   // the peer closed, not this end
}

func (e *SessionError) Error() string {
	s := "webtransport: session closed"
	if e.Remote {
		s += " by the peer"
	}
	s += fmt.Sprintf(" with code %d", e.Code)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// StreamError says that half of a stream was cancelled.
type StreamError struct {
	// Code is the application's code, when IsApplication.
	Code uint32
	// IsApplication is false when the peer gave a code that is no application's
	// (Section 4.4), as browsers do when they close a page.
	IsApplication bool
	// HTTPCode is the code as HTTP/3 carried it.
	HTTPCode http3.ErrorCode
	Remote   bool // the peer cancelled, not this end
}

func (e *StreamError) Error() string {
	s := "webtransport: stream cancelled"
	if e.Remote {
		s += " by the peer"
	}
	if e.IsApplication {
		return s + fmt.Sprintf(" with code %d", e.Code)
	}
	return s + " without an application's code: " + e.HTTPCode.String()
}
