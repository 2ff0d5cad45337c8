package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/client"
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// The exit codes of get, which are curl's (man curl, EXIT CODES). What has none there is
// exitFailure, and exitUsage means the same.
const (
	curlProtocol    = 1
	curlURL         = 3
	curlResolve     = 6
	curlConnect     = 7
	curlPartial     = 18
	curlWrite       = 23
	curlRead        = 26
	curlTimeout     = 28
	curlRange       = 33
	curlTLS         = 35
	curlRedirects   = 47
	curlReceive     = 56
	curlCertificate = 58
	curlUntrusted   = 60
	curlEncoding    = 61
	curlCAFile      = 77
	curlHTTP2       = 92
	curlHTTP3       = 95
	curlQUIC        = 96
)

// usage is the error of a command line, but for those that have a code already.
func usage(err error) error {
	if coded := (*exitError)(nil); errors.As(err, &coded) {
		return err
	}
	return &exitError{exitUsage, err}
}

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	coded := (*exitError)(nil)
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case isTimeout(err):
		return curlTimeout
	case isUntrusted(err):
		return curlUntrusted
	}
	return networkCode(err)
}

func isTimeout(err error) bool {
	var (
		up        timeUp
		late      client.ConnectTimeoutError
		handshake *quic.HandshakeTimeoutError
	)
	return errors.As(err, &up) || errors.As(err, &late) || errors.As(err, &handshake) || errors.Is(err, os.ErrDeadlineExceeded)
}

// isUntrusted reports whether an error is about the server's certificate.
func isUntrusted(err error) bool {
	var (
		authority    x509.UnknownAuthorityError
		name         x509.HostnameError
		invalid      x509.CertificateInvalidError
		verification *tls.CertificateVerificationError
	)
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &verification) || errors.Is(err, errPinned)
}

// networkCode is exitCode for what the network or the server has done.
func networkCode(err error) int {
	var (
		dns       *net.DNSError
		addr      *net.AddrError // no address of the family asked for
		op        *net.OpError
		alert     tls.AlertError
		record    tls.RecordHeaderError
		transport *quic.TransportError
		version   *quic.VersionNegotiationError
		idle      *quic.IdleTimeoutError
		http      *http3.Error
		path      *fs.PathError
	)
	switch {
	case errors.As(err, &dns), errors.As(err, &addr):
		return curlResolve
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &op) && op.Op == "dial":
		return curlConnect
	case errors.As(err, &alert), errors.As(err, &record):
		return curlTLS
	case errors.As(err, &http) && (http.Code != http3.ErrCodeNoError || !http.WholeConn):
		return curlHTTP3
	case errors.As(err, &transport) && transport.Code >= 0x100 && transport.Code < 0x200: // a TLS alert (RFC 9001, Section 4.8)
		return curlTLS
	case errors.As(err, &transport), errors.As(err, &version):
		return curlQUIC
	case errors.As(err, &path), errors.Is(err, errBinary):
		return curlWrite
	case errors.Is(err, io.ErrUnexpectedEOF):
		return curlPartial
	case errors.As(err, &http), errors.As(err, &idle), errors.Is(err, quic.ErrStatelessReset), errors.As(err, &op):
		return curlReceive
	case strings.Contains(err.Error(), "http2: "): // its errors have no type of their own
		return curlHTTP2
	}
	return exitFailure
}

// explainGet adds to an error what its reader can do about it.
func explainGet(err error) error {
	const untrusted = "use --cacert FILE to trust the certificates in FILE, or -k to accept any"
	neither := (*client.NeitherError)(nil)
	switch {
	case errors.As(err, &neither) && errors.Is(neither.QUIC, syscall.ECONNREFUSED) && errors.Is(neither.TCP, syscall.ECONNREFUSED):
		return &worded{"connection refused, over UDP and TCP (is a server listening there?)", err}
	case errors.As(err, &neither) && isUntrusted(neither.TCP):
		return explain(neither.TCP, untrusted)
	case errors.As(err, &neither):
		return neither
	case errors.Is(err, errPinned):
		return err
	}
	return explain(err, untrusted)
}

// worded is an error in other words.
type worded struct {
	text string
	err  error
}

func (w *worded) Error() string { return w.text }

func (w *worded) Unwrap() error { return w.err }

// layers are what packages put before their errors: of interest to programmers.
var layers = strings.NewReplacer("http3: ", "", "quic: ", "", "tls: ", "", "x509: ", "")

// said returns an error as the command says it.
func said(err error) string { return layers.Replace(err.Error()) }
