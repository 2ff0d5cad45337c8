package protect

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
)

// Suite is a TLS 1.3 cipher suite by its number in TLS (RFC 8446, Appendix B.4).
type Suite uint16

// The cipher suites that QUIC packets may be protected with (RFC 9001,
// Section 5.3).
const (
	AES128GCM        Suite = 0x1301 // TLS_AES_128_GCM_SHA256
	AES256GCM        Suite = 0x1302 // TLS_AES_256_GCM_SHA384
	ChaCha20Poly1305 Suite = 0x1303 // TLS_CHACHA20_POLY1305_SHA256
)

// Overhead is how many bytes longer a sealed payload is than a plain one, in
// every suite.
const Overhead = 16

// maxKeyLen is what Suite.keyLen is at most.
const maxKeyLen = 32

// ErrSuite is wrapped by the error for a suite that is not known here.
var ErrSuite = errors.New("protect: unknown cipher suite")

// String returns the name of the suite in TLS.
func (s Suite) String() string {
	switch s {
	case AES128GCM:
		return "TLS_AES_128_GCM_SHA256"
	case AES256GCM:
		return "TLS_AES_256_GCM_SHA384"
	case ChaCha20Poly1305:
		return "TLS_CHACHA20_POLY1305_SHA256"
	}
	return fmt.Sprintf("cipher suite 0x%04x", uint16(s))
}

// aes reports whether the suite's cipher is AES.
func (s Suite) aes() bool { return s == AES128GCM || s == AES256GCM }

// keyLen returns the length in bytes of the AEAD's key, which is also that of
// the header protection key, or 0 for an unknown suite.
func (s Suite) keyLen() int {
	switch s {
	case AES128GCM:
		return 16
	case AES256GCM, ChaCha20Poly1305:
		return 32
	}
	return 0
}

// secretLen returns the length in bytes of the suite's secrets, that of its hash.
func (s Suite) secretLen() int {
	if s == AES256GCM {
		return sha512.Size384
	}
	return sha256.Size
}
