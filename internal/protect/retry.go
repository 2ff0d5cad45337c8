package protect

import (
	"crypto/cipher"
	"crypto/subtle"

	"github.com/godwit-quic/godwit/internal/wire"
)

// retryIntegrity computes the tags of a version's Retry packets. The keys are
// public: the tag protects from accidents and from those who have not seen the
// client's Initial packet (RFC 9001, Section 5.8; RFC 9369, Section 3.3.3).
type retryIntegrity struct {
	aead  cipher.AEAD
	nonce []byte
}

var (
	retryV1 = newRetryIntegrity(
		"\xbe\x0c\x69\x0b\x9f\x66\x57\x5a\x1d\x76\x6b\x54\xe3\x68\xc8\x4e",
		"\x46\x15\x99\xd3\x5d\x63\x2b\xf2\x23\x98\x25\xbb")
	retryV2 = newRetryIntegrity(
		"\x8f\xb4\xb0\x1b\x56\xac\x48\xe2\x60\xfb\xcb\xce\xad\x7c\xcc\x92",
		"\xd8\x69\x69\xbc\x2d\x7c\x6d\x99\x90\xef\xb0\x4a")
)

func newRetryIntegrity(key, nonce string) retryIntegrity {
	aead, err := newAEAD(AES128GCM, []byte(key))
	if err != nil {
		panic("protect: Retry key: " + err.Error()) // its length is right
	}
	return retryIntegrity{aead, []byte(nonce)}
}

// RetryTag returns the integrity tag of retry, a Retry packet without one.
// originalDstID is the destination ID of the Initial packet that it answers.
func RetryTag(v wire.Version, originalDstID *wire.ConnectionID, retry []byte) [wire.RetryTagLen]byte {
	r := &retryV1
	if v == wire.Version2 {
		r = &retryV2
	}
	pseudo := make([]byte, 0, 1+originalDstID.Len()+len(retry))
	pseudo = append(pseudo, byte(originalDstID.Len()))
	pseudo = append(pseudo, originalDstID.Bytes()...)
	pseudo = append(pseudo, retry...)
	return [wire.RetryTagLen]byte(r.aead.Seal(nil, r.nonce, nil, pseudo))
}

// VerifyRetry reports whether retry, a whole Retry packet, ends in the right
// tag.
func VerifyRetry(v wire.Version, originalDstID *wire.ConnectionID, retry []byte) bool {
	at := len(retry) - wire.RetryTagLen
	if at < 0 {
		return false
	}
	want := RetryTag(v, originalDstID, retry[:at])
	return subtle.ConstantTimeCompare(want[:], retry[at:]) == 1
}
