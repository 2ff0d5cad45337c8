package handshake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"reflect"
)

// mayBlock reports whether a handshake with config may wait for something, or for
// longer than one with the usual keys takes, so that it is no work for an event
// loop: with callbacks, which are somebody else's code; with keys that sign in
// somebody else's code, or slowly, as RSA's do (a millisecond and more); and where
// the peer's certificates are verified, as it says how many signatures that takes,
// and systems may ask others.
func mayBlock(config *tls.Config, server bool) bool {
	if config.GetCertificate != nil || config.GetClientCertificate != nil || config.GetConfigForClient != nil ||
		config.VerifyPeerCertificate != nil || config.VerifyConnection != nil ||
		cacheMayBlock(config.ClientSessionCache) || config.WrapSession != nil || config.UnwrapSession != nil ||
		config.GetEncryptedClientHelloKeys != nil || config.EncryptedClientHelloRejectionVerify != nil ||
		config.Rand != nil || config.Time != nil || config.KeyLogWriter != nil {
		return true
	}
	if server && config.ClientAuth != tls.NoClientCert || !server && !config.InsecureSkipVerify {
		return true
	}
	for i := range config.Certificates {
		if !signsFast(config.Certificates[i].PrivateKey) {
			return true
		}
	}
	return false
}

// cacheMayBlock reports whether a client's session cache is somebody else's code:
// crypto/tls's takes a lock for a moment.
func cacheMayBlock(cache tls.ClientSessionCache) bool {
	if own, ok := cache.(sessions); ok {
		cache = own.cache
	}
	return cache != nil && reflect.TypeOf(cache) != lruSessions
}

var lruSessions = reflect.TypeOf(tls.NewLRUClientSessionCache(1))

// signsFast reports whether a signature with key takes some tens of microseconds.
func signsFast(key crypto.PrivateKey) bool {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		return key.Curve == elliptic.P256()
	case ed25519.PrivateKey:
		return true
	}
	return false
}

// outside makes the parts of a server's configuration that may wait for something
// do so without a slot of the pool. KeyLogWriter and Rand are none of them: crypto/tls
// calls them with locks held for which other handshakes wait, in slots of their own.
func (p *pool) outside(config *tls.Config) {
	config.GetConfigForClient = outside1(p, config.GetConfigForClient)
	config.GetEncryptedClientHelloKeys = outside1(p, config.GetEncryptedClientHelloKeys)
	config.WrapSession = outside2(p, config.WrapSession)
	config.UnwrapSession = outside2(p, config.UnwrapSession)
	if verify := config.VerifyPeerCertificate; verify != nil {
		config.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			p.leave()
			defer p.enter()
			return verify(raw, chains)
		}
	}
	if verify := config.VerifyConnection; verify != nil {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			p.leave()
			defer p.enter()
			return verify(state)
		}
	}
	if get := outside1(p, config.GetCertificate); get != nil {
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := get(hello)
			if cert == nil || signsHere(cert.PrivateKey) {
				return cert, err
			}
			own := *cert
			p.outsideKey(&own)
			return &own, err
		}
	}
	for i := range config.Certificates {
		if !signsHere(config.Certificates[i].PrivateKey) {
			config.Certificates = append([]tls.Certificate(nil), config.Certificates...) // the caller's
			for i := range config.Certificates {
				p.outsideKey(&config.Certificates[i])
			}
			break
		}
	}
}

// outside1 is outside for a callback with one argument, and outside2 with two.
func outside1[A, R any](p *pool, f func(A) (R, error)) func(A) (R, error) {
	if f == nil {
		return nil
	}
	return func(a A) (R, error) {
		p.leave()
		defer p.enter()
		return f(a)
	}
}

func outside2[A, B, R any](p *pool, f func(A, B) (R, error)) func(A, B) (R, error) {
	if f == nil {
		return nil
	}
	return func(a A, b B) (R, error) {
		p.leave()
		defer p.enter()
		return f(a, b)
	}
}

// signsHere reports whether key is one of the standard library's, which compute.
func signsHere(key crypto.PrivateKey) bool {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return false
}

// outsideKey makes a certificate's key sign without a slot of the pool, if it is
// one that may ask others, such as a hardware module.
func (p *pool) outsideKey(cert *tls.Certificate) {
	if signer, ok := cert.PrivateKey.(crypto.Signer); ok && !signsHere(signer) {
		cert.PrivateKey = outsideSigner{signer, p}
	}
}

// outsideSigner is a key that signs without a slot of the pool.
type outsideSigner struct {
	crypto.Signer
	pool *pool
}

func (s outsideSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.pool.leave()
	defer s.pool.enter()
	return s.Signer.Sign(rand, digest, opts)
}
