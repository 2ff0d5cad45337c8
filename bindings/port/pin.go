package port

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// pin has certificates of servers be known by their hashes, and by nothing else, by the
// rules of browsers (W3C WebTransport, "verify a certificate hash").
func pin(conf *tls.Config, hashes [][sha256.Size]byte) {
	conf.InsecureSkipVerify = true // VerifyConnection does it, with other rules
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		if !slices.Contains(hashes, sha256.Sum256(leaf.Raw)) {
			return fmt.Errorf("%w of the server has none of the hashes given", errPinned)
		}
		if err := devcert.CheckPinnable(leaf, time.Now()); err != nil {
			return fmt.Errorf("%w of the server cannot be known by its hash: %w", errPinned, err)
		}
		return nil
	}
}
