package qlog

import (
	"errors"
	"strconv"
	"strings"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// transportError writes a transport error code by its name in qlog.
func (r *record) transportError(key string, code uint64) {
	switch e := wire.ErrorCode(code); {
	case e <= wire.NoViablePath:
		r.word(key, strings.ToLower(e.String()))
	case e.IsCrypto():
		r.word(key, "crypto_error_0x"+strconv.FormatUint(code, 16))
	default:
		r.word(key, "unknown")
		r.uint("error_code", code)
	}
}

// closed writes the data of connection_closed: who ended it, and why.
func (r *record) closed(err error) {
	var (
		transport   *engine.TransportError
		application *engine.ApplicationError
		idle        *engine.IdleTimeoutError
		handshake   *engine.HandshakeTimeoutError
		version     *engine.VersionNegotiationError
	)
	trigger := "unspecified"
	switch {
	case errors.As(err, &transport):
		r.initiator(transport.Remote)
		r.transportError("connection_error", uint64(transport.Code))
		trigger = "error"
	case errors.As(err, &application):
		r.initiator(application.Remote)
		r.word("application_error", "unknown")
		r.uint("error_code", application.Code)
		trigger = "application"
	case errors.As(err, &idle):
		r.initiator(false)
		trigger = "idle_timeout"
	case errors.As(err, &handshake):
		r.initiator(false)
		trigger = "aborted"
	case errors.As(err, &version):
		r.initiator(false)
		trigger = "version_mismatch"
	case errors.Is(err, engine.ErrStatelessReset):
		r.initiator(true)
		trigger = "stateless_reset"
	}
	if err != nil {
		reason := err.Error()
		r.text("reason", reason[:min(len(reason), maxReason)])
	}
	r.word("trigger", trigger)
}

func (r *record) initiator(remote bool) {
	if remote {
		r.word("initiator", "remote")
	} else {
		r.word("initiator", "local")
	}
}
