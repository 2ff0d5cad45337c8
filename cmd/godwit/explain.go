package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/wtclient"
	"github.com/godwit-quic/godwit/quic"
)

// noApplicationProtocol is the transport error of a server that does not speak
// the protocol asked for: TLS alert 120 (RFC 9001, Section 8.1).
const noApplicationProtocol = 0x100 + 120

// timeUp is the cause of a context that --max-time or --timeout, of that length, has ended.
type timeUp time.Duration

func (t timeUp) Error() string { return fmt.Sprintf("not done after %v", time.Duration(t)) }

// Timeout is for those who look for it, as in a net.Error.
func (t timeUp) Timeout() bool { return true }

// explainUnconnected adds to timeUp that there was not even a connection, or a
// session, on a UDP port; other errors are left alone.
func explainUnconnected(err error, missing string) error {
	if up := timeUp(0); errors.As(err, &up) {
		return fmt.Errorf("%w: no %s yet (is a server listening on this UDP port?)", err, missing)
	}
	return err
}

// explain adds to an error of a connection what its reader can do about it;
// untrusted is the advice about a certificate that was not accepted.
func explain(err error, untrusted string) error {
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err // the caller names the URL
	}
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		transport *quic.TransportError
		network   *net.OpError
	)
	switch {
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid):
		return fmt.Errorf("%w (%s)", err, untrusted)
	case errors.As(err, &transport) && transport.Code == noApplicationProtocol:
		return fmt.Errorf("%w (the server speaks QUIC, but not this protocol over it)", err)
	case errors.As(err, &network) && network.Net == "udp" && errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w (is a server listening on this UDP port?)", err)
	}
	return explainAddress(err)
}

// explainAddress adds to the error of an address that is none what one looks like.
func explainAddress(err error) error {
	if addr := (*net.AddrError)(nil); errors.As(err, &addr) {
		return fmt.Errorf("%w (an address is a host and a port, like localhost:4433)", err)
	}
	return err
}

// maxExcuse is how much of a refusal's content is shown, in bytes.
const maxExcuse = 200

// refused says with which status a server refused a session or a request, and why.
func refused(what string, resp *http.Response) error {
	meaning := http.StatusText(resp.StatusCode)
	err := fmt.Errorf("the server refused the %s with status %d %s", what, resp.StatusCode, meaning)
	if excuse := readExcuse(resp); excuse != "" && excuse != meaning {
		err = fmt.Errorf("%w: %s", err, excuse)
	}
	return &exitError{exitHTTPStatus, err}
}

// readExcuse returns the first line of a refusal.
func readExcuse(resp *http.Response) string {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxExcuse))
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return wtclient.Printable(line)
}
