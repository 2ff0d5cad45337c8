package protect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/godwit-quic/godwit/internal/wire"
)

// labels are what distinguishes the key derivation of the versions (RFC 9001,
// Sections 5.1 and 6.1; RFC 9369, Section 3.3.2).
type labels struct {
	key, iv, hp, ku string
}

func labelsOf(v wire.Version) *labels {
	if v == wire.Version2 {
		return &labels{"quicv2 key", "quicv2 iv", "quicv2 hp", "quicv2 ku"}
	}
	return &labels{"quic key", "quic iv", "quic hp", "quic ku"}
}

// derive is HKDF-Expand-Label with an empty context (RFC 8446, Section 7.1), put
// into out. As nothing here is longer than a hash, HKDF-Expand is a single HMAC
// (RFC 5869, Section 2.3).
func (s Suite) derive(out *hashValue, secret []byte, label string, n int) []byte {
	const prefix = "tls13 "
	var b [maxMACInput]byte
	info := binary.BigEndian.AppendUint16(b[:0], uint16(n))
	info = append(info, byte(len(prefix)+len(label)))
	info = append(info, prefix...)
	info = append(info, label...)
	info = append(info, 0, 1) // the empty context, and the number of the block
	return s.mac(out, secret, info)[:n]
}

// newAEAD makes the AEAD of a suite with a key of the right length.
func newAEAD(s Suite, key []byte) (cipher.AEAD, error) {
	switch s {
	case AES128GCM, AES256GCM:
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("protect: %v: %w", s, err)
		}
		return cipher.NewGCM(block)
	case ChaCha20Poly1305:
		return chacha20poly1305.New(key)
	}
	return nil, fmt.Errorf("%w: %v", ErrSuite, s)
}

// initialSalts are the salts for Initial secrets (RFC 9001, Section 5.2; RFC
// 9369, Section 3.3.1).
var (
	initialSaltV1 = []byte{
		0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
		0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
	}
	initialSaltV2 = []byte{
		0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
		0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
	}
)

// initialSecrets derives the secrets of both sides from the destination ID of
// the client's first Initial packet (RFC 9001, Section 5.2).
func initialSecrets(v wire.Version, dstID []byte) (client, server [sha256.Size]byte) {
	salt := initialSaltV1
	if v == wire.Version2 {
		salt = initialSaltV2
	}
	// HKDF-Extract is HMAC with the salt as the key (RFC 5869, Section 2.2).
	var common, secret hashValue
	AES128GCM.mac(&common, salt, dstID)
	copy(client[:], AES128GCM.derive(&secret, common[:sha256.Size], "client in", sha256.Size))
	copy(server[:], AES128GCM.derive(&secret, common[:sha256.Size], "server in", sha256.Size))
	return client, server
}
