package protect

import "github.com/godwit-quic/godwit/internal/wire"

// StatelessResetToken returns the token that goes with a connection ID, so that
// it can be computed again when all state is lost (RFC 9000, Section 10.3.2).
// key must not be used for anything else.
func StatelessResetToken(key *[32]byte, id *wire.ConnectionID) wire.ResetToken {
	var sum hashValue
	mac := AES128GCM.mac(&sum, key[:], id.Bytes()) // with SHA-256
	return wire.ResetToken(mac[:len(wire.ResetToken{})])
}
