package quic

import (
	"errors"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// publicError returns an engine's error in this package's terms. remote is the
// address of the connection's peer. Other errors are returned as they are.
func publicError(err error, remote netip.AddrPort) error {
	switch e := err.(type) {
	case *engine.StreamError:
		return &StreamError{StreamID: uint64(e.ID), Code: e.Code, Remote: e.Remote}
	case *engine.ApplicationError:
		return &ApplicationError{Code: e.Code, Reason: e.Reason, Remote: e.Remote}
	case *engine.TransportError:
		return &TransportError{
			Code: uint64(e.Code), FrameType: uint64(e.Frame), Reason: e.Reason, Remote: e.Remote, Err: e.Err,
		}
	case *engine.IdleTimeoutError:
		return &IdleTimeoutError{After: e.After}
	case *engine.HandshakeTimeoutError:
		return &HandshakeTimeoutError{After: e.After, Remote: remote, Answered: e.Answered}
	case *engine.VersionNegotiationError:
		return &VersionNegotiationError{Ours: convertVersions[Version](e.Ours), Theirs: convertVersions[Version](e.Theirs)}
	}
	switch {
	case errors.Is(err, engine.ErrStatelessReset):
		return &StatelessResetError{}
	case errors.Is(err, engine.ErrStreamLimit):
		return ErrStreamLimit
	case errors.Is(err, streambuf.ErrWriteClosed):
		return ErrWriteClosed
	}
	return err
}
