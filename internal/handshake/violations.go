package handshake

import (
	"errors"
	"strings"
)

// violations are what crypto/tls says when a peer breaks a rule that QUIC has for TLS. The
// alerts that come with it are those of TLS, and it has no other sign.
var violations = []string{
	"handshake buffer not empty before setting read traffic secret",                 // RFC 9001, Section 4.1.3
	"received unexpected handshake message of type *tls.certificateRequestMsgTLS13", // Section 4.4, after the handshake
	"invalid early data for QUIC connection",                                        // Section 4.6.1
}

// isViolation reports whether PROTOCOL_VIOLATION is to be sent for an error.
func isViolation(err error) bool {
	if errors.Is(err, errCertificateRequest) {
		return true
	}
	text := err.Error()
	for _, v := range violations {
		// With more behind it, it is about a message that was waited for.
		if strings.HasSuffix(text, v) {
			return true
		}
	}
	return false
}
