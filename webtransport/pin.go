package webtransport

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"slices"
	"time"
)

// maxPinnedLifetime is how long a certificate may be valid that is known by its
// hash (W3C WebTransport, "verify a certificate hash").
const maxPinnedLifetime = 14 * 24 * time.Hour

// pinned returns a configuration that trusts a server's certificate for its hash.
func pinned(conf *tls.Config, hashes [][sha256.Size]byte) *tls.Config {
	if conf == nil {
		conf = new(tls.Config)
	}
	conf = conf.Clone()
	now := conf.Time
	if now == nil {
		now = time.Now
	}
	conf.InsecureSkipVerify = true // VerifyConnection does it, with other rules
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		switch t := now(); {
		case !slices.Contains(hashes, sha256.Sum256(leaf.Raw)):
			return errors.New("webtransport: the server's certificate has none of the hashes given")
		case leaf.NotAfter.Sub(leaf.NotBefore) > maxPinnedLifetime:
			return errors.New("webtransport: the server's certificate is valid for more than 14 days, too long for one known by its hash")
		case t.Before(leaf.NotBefore) || t.After(leaf.NotAfter):
			return errors.New("webtransport: the server's certificate has expired or is not valid yet")
		}
		if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
			return errors.New("webtransport: the key of the server's certificate is not ECDSA")
		}
		return nil
	}
	return conf
}
