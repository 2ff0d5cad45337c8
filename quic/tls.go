package quic

import (
	"crypto/tls"
	"errors"
)

var errNoProtocol = errors.New("quic: tls.Config.NextProtos is empty: QUIC needs an application protocol, the same on both sides")

// checkClientTLS says early what would fail a handshake.
func checkClientTLS(conf *tls.Config) error {
	if conf == nil || len(conf.NextProtos) == 0 {
		return errNoProtocol
	}
	return nil
}

func checkServerTLS(conf *tls.Config) error {
	switch {
	case conf == nil:
		return errors.New("quic: listening needs a tls.Config with a certificate")
	case conf.GetConfigForClient != nil:
		return nil // it may bring everything
	case len(conf.NextProtos) == 0:
		return errNoProtocol
	case len(conf.Certificates) == 0 && conf.GetCertificate == nil:
		return errors.New("quic: tls.Config has neither Certificates nor GetCertificate")
	}
	return nil
}
