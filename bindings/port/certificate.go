package port

import (
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// DevelopmentCertificate makes a certificate for localhost, as a listener without one does
// for itself, and returns it and its key as PEM, one after the other.
func DevelopmentCertificate() ([]byte, error) {
	made, _, err := devcert.Make(time.Now())
	if err != nil {
		return nil, err
	}
	cert, key, err := devcert.Encode(made)
	return append(cert, key...), err
}
