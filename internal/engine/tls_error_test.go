package engine

import (
	"errors"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// An alert has a code of its own, but for what breaks QUIC's rules for TLS (RFC 9001, Sections
// 4.1.3, 4.4, 4.6.1 and 4.8).
func TestTLSError(t *testing.T) {
	reason := errors.New("reason")
	for want, err := range map[wire.ErrorCode]error{
		wire.CryptoErrorBase + 10: &TLSAlert{Code: 10, Err: reason},
		wire.ProtocolViolation:    &TLSAlert{Code: 10, Err: reason, Violation: true},
		wire.InternalError:        reason,
	} {
		if got := tlsError(err); got.Code != want || !errors.Is(got, reason) {
			t.Errorf("%+v is %v, want %v", err, got, want)
		}
	}
}
