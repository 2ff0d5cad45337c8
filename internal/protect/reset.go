package protect

import (
	"crypto/subtle"

	"github.com/godwit-quic/godwit/internal/wire"
)

// StatelessResetToken returns the token that goes with a connection ID, so that
// it can be computed again when all state is lost (RFC 9000, Section 10.3.2).
// key must not be used for anything else.
func StatelessResetToken(key *[32]byte, id *wire.ConnectionID) wire.ResetToken {
	var sum hashValue
	mac := AES128GCM.mac(&sum, key[:], id.Bytes()) // with SHA-256
	return wire.ResetToken(mac[:len(wire.ResetToken{})])
}

// IsStatelessReset reports whether datagram ends in token. The time it takes
// does not depend on where they differ (RFC 9000, Section 10.3.1).
func IsStatelessReset(datagram []byte, token *wire.ResetToken) bool {
	at := len(datagram) - len(token)
	return at >= 0 && subtle.ConstantTimeCompare(datagram[at:], token[:]) == 1
}
