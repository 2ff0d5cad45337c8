package quic

import (
	"errors"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// publicError returns an engine's error in this package's terms. Errors of streams
// have the same fields, so that nothing is made; that of the connection's end is made
// once, and the same for all who ask.
func (c *Conn) publicError(err error) error {
	switch e := err.(type) {
	case *engine.StreamError:
		return (*StreamError)(e)
	case *engine.TransportError, *engine.ApplicationError, *engine.IdleTimeoutError,
		*engine.HandshakeTimeoutError, *engine.VersionNegotiationError:
		return c.endError(err)
	}
	switch {
	case err == engine.ErrStatelessReset:
		return c.endError(err)
	case errors.Is(err, streambuf.ErrWriteClosed):
		return ErrWriteClosed
	}
	return err
}

// endError returns the error of the connection's end, which is the first it is given.
func (c *Conn) endError(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil {
		c.ending = connError(err, c.remote)
	}
	return c.ending
}

// connError makes the error of a connection's end. remote is the peer's address.
func connError(err error, remote netip.AddrPort) error {
	switch e := err.(type) {
	case *engine.ApplicationError:
		return (*ApplicationError)(e)
	case *engine.TransportError:
		return &TransportError{
			Code: uint64(e.Code), FrameType: uint64(e.Frame), Reason: e.Reason, Remote: e.Remote, Err: e.Err,
		}
	case *engine.IdleTimeoutError:
		return (*IdleTimeoutError)(e)
	case *engine.HandshakeTimeoutError:
		return &HandshakeTimeoutError{After: e.After, Remote: remote, Answered: e.Answered}
	case *engine.VersionNegotiationError:
		return &VersionNegotiationError{Ours: convertVersions[Version](e.Ours), Theirs: convertVersions[Version](e.Theirs)}
	}
	return ErrStatelessReset
}
