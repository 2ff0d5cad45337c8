package protect

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
)

const (
	// maxMACInput is the longest message, and the longest key, of what is
	// derived here: the label of an Initial secret, a secret of SHA-384.
	maxMACInput = 64

	maxBlockLen = sha512.BlockSize
	maxHashLen  = sha512.Size384
)

// A key is padded with zeros to a block before either is added to it.
var (
	innerPad = bytes.Repeat([]byte{0x36}, maxBlockLen)
	outerPad = bytes.Repeat([]byte{0x5c}, maxBlockLen)
)

// hashValue has room for the longest hash.
type hashValue [maxHashLen]byte

// mac puts HMAC of a message (RFC 2104) into sum and returns it; neither the message
// nor the key may be longer than maxMACInput. A handshake needs dozens, each with
// another key, for which crypto/hmac would allocate more than the computation takes.
func (s Suite) mac(sum *hashValue, key, message []byte) []byte {
	if max(len(key), len(message)) > maxMACInput {
		panic("protect: too long for mac")
	}
	var b [maxBlockLen + maxMACInput]byte
	block := b[:s.blockLen()]
	copy(block, innerPad)
	subtle.XORBytes(block, block, key)
	inner := s.hash(sum, b[:len(block)+copy(b[len(block):], message)])
	copy(block, outerPad)
	subtle.XORBytes(block, block, key)
	return s.hash(sum, b[:len(block)+copy(b[len(block):], inner)])
}

// hash puts the hash of b into sum and returns it.
func (s Suite) hash(sum *hashValue, b []byte) []byte {
	if s == AES256GCM {
		*sum = sha512.Sum384(b)
		return sum[:]
	}
	h := sha256.Sum256(b)
	return sum[:copy(sum[:], h[:])]
}

// blockLen returns the length of the blocks that the suite's hash works on.
func (s Suite) blockLen() int {
	if s == AES256GCM {
		return sha512.BlockSize
	}
	return sha256.BlockSize
}
