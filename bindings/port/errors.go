package port

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// ErrorKind says what an error is of: GW_ERR_... of godwit.h.
type ErrorKind uint32

// The kinds of errors.
const (
	OK ErrorKind = iota
	ErrApplication
	ErrTransport
	ErrTLS
	ErrCertificate
	ErrIdle
	ErrHandshakeTimeout
	ErrRefused
	ErrResolve
	ErrStatelessReset
	ErrVersion
	ErrCancelled
	ErrOption
	ErrAddress
	ErrStream
	ErrSession
	ErrHTTP
	ErrUnsupported
	ErrLimit
	ErrGoAway
	ErrSize
	ErrCommand
	ErrPort
)

// failure is an error as the host is told of it: struct gw_error, and a text.
type failure struct {
	kind   ErrorKind
	frame  uint32
	code   uint64
	remote bool
	text   string
}

// Error implements error: a failure of the port's own.
func (f *failure) Error() string { return f.text }

// fault makes a failure of this end's.
func fault(kind ErrorKind, format string, args ...any) *failure {
	return &failure{kind: kind, text: fmt.Sprintf(format, args...)}
}

// none is what ends as it should.
var none failure

// maxText is how many bytes of a failure's text the host is told: texts quote what a host
// or a peer has said, which may be longer than the ring of events.
const maxText = 4 << 10

// appendTo appends the payload of an event.
func (f *failure) appendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(f.kind))
	b = binary.LittleEndian.AppendUint32(b, f.frame)
	b = binary.LittleEndian.AppendUint64(b, f.code)
	return append(b, cut(f.text, maxText)...)
}

// cut returns the first n bytes of a text, less the part of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// record returns the event that tells of the failure.
func (f *failure) record(typ Event, id uint32) record {
	r := record{typ: uint8(typ), id: id, payload: f.appendTo(nil)}
	if f.remote {
		r.flags = flagRemote
	}
	return r
}

// describe returns what the host is told of an error of package quic, of a stream, a
// connection or a dial.
func describe(err error) *failure {
	var (
		own       *failure
		stream    *quic.StreamError
		app       *quic.ApplicationError
		transport *quic.TransportError
		session   *wt.SessionError
		text      = err.Error()
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &stream):
		return &failure{kind: ErrStream, code: stream.Code, remote: stream.Remote, text: text}
	case errors.As(err, &app):
		return &failure{kind: ErrApplication, code: app.Code, remote: app.Remote, text: app.Reason}
	case errors.As(err, &transport):
		return describeTransport(transport)
	case errors.As(err, &session):
		return &failure{kind: ErrSession, code: uint64(session.Code), remote: session.Remote, text: session.Reason}
	}
	return describeDial(err, text)
}

// describeDatagram describes why a datagram was not sent.
func describeDatagram(err error) *failure {
	var size *quic.DatagramTooLargeError
	f := &failure{kind: ErrUnsupported, text: err.Error()}
	if errors.As(err, &size) {
		f.kind, f.code = ErrSize, uint64(size.Max)
	}
	return f
}

// Codes of TLS's alerts in QUIC's space (RFC 9001, Section 4.8), and QUIC's for a server
// that takes no connections (RFC 9000, Section 20.1).
const (
	cryptoErrors      = 0x100
	connectionRefused = 0x2
)

// describeTransport describes a violation of the protocol, or a handshake that has failed.
func describeTransport(e *quic.TransportError) *failure {
	f := &failure{kind: ErrTransport, code: e.Code, frame: uint32(e.FrameType), remote: e.Remote, text: e.Error()}
	switch {
	case e.Code == connectionRefused:
		f.kind = ErrRefused
	case e.Code >= cryptoErrors && e.Code < cryptoErrors+256:
		f.kind, f.code = ErrTLS, e.Code-cryptoErrors
		if isCertificateError(e.Err) {
			f.kind = ErrCertificate
		}
	}
	return f
}

// errPinned is in errors of certificates that are known by their hash.
var errPinned = errors.New("certificate")

func isCertificateError(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		host         x509.HostnameError
		authority    x509.UnknownAuthorityError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &host) || errors.As(err, &authority) ||
		errors.As(err, &invalid) || errors.Is(err, errPinned)
}

// describeDial describes what keeps a connection or a listener from coming about, or ends
// it.
func describeDial(err error, text string) *failure {
	var (
		idle       *quic.IdleTimeoutError
		handshake  *quic.HandshakeTimeoutError
		versions   *quic.VersionNegotiationError
		name       *net.DNSError
		address    *net.AddrError
		errno      syscall.Errno
		violation  *h3.ConnError
		message    *h3.StreamError
		kind       = ErrTransport
		code       uint64
		notThere   = errors.Is(err, syscall.ECONNREFUSED)
		unreadable *fs.PathError
	)
	switch {
	case errors.As(err, &idle):
		kind = ErrIdle
	case errors.As(err, &handshake):
		kind = ErrHandshakeTimeout
	case errors.Is(err, quic.ErrStatelessReset):
		kind = ErrStatelessReset
	case errors.As(err, &versions):
		kind = ErrVersion
	case notThere:
		kind = ErrRefused
	case errors.As(err, &name):
		kind = ErrResolve
	case errors.As(err, &address), errors.As(err, &unreadable):
		kind = ErrOption
	case errors.As(err, &violation):
		kind, code = ErrHTTP, uint64(violation.Code)
	case errors.As(err, &message):
		kind, code = ErrHTTP, uint64(message.Code)
	case errors.Is(err, quic.ErrClosed):
		kind = ErrPort
	case errors.As(err, &errno):
		kind, code = ErrAddress, uint64(errno)
	}
	return &failure{kind: kind, code: code, text: text}
}
