package protect

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Token is what an address validation token remembers for the server that
// issued it (RFC 9000, Section 8.1).
type Token struct {
	// Retry says that the token was sent in a Retry packet, not in NEW_TOKEN.
	Retry bool

	// Version is that of the packet that the token answers, or of the connection.
	Version wire.Version

	// IssuedAt is on the clock of the key's owner, which decides how long the
	// token is good.
	IssuedAt monotime.Time

	// Address is the client's, in any form of at most MaxTokenAddress bytes.
	Address []byte

	// OriginalDstID is the destination ID of the Initial packet that a Retry
	// answered.
	OriginalDstID wire.ConnectionID
}

const (
	// MaxTokenAddress is the longest Token.Address: an IPv6 address with port
	// and some room.
	MaxTokenAddress = 32

	// TokenNonceLen is how many random bytes a token takes.
	TokenNonceLen = 12

	tokenFixedLen = 1 + 4 + 8 + 1 + 1 // flags, version, time, and the lengths of address and ID

	// MaxTokenLen is the length of the longest token.
	MaxTokenLen = TokenNonceLen + tokenFixedLen + MaxTokenAddress + wire.MaxConnectionIDLen + Overhead
)

// ErrToken: a token that was not sealed with this key, whole.
var ErrToken = errors.New("protect: invalid address validation token")

// TokenKey seals and opens address validation tokens with AES-256-GCM. It may
// be used by many goroutines at once.
type TokenKey struct {
	aead cipher.AEAD
}

// NewTokenKey returns the TokenKey for a secret of which nobody else knows.
func NewTokenKey(secret *[32]byte) *TokenKey {
	aead, err := newAEAD(AES256GCM, secret[:])
	if err != nil {
		panic("protect: token key: " + err.Error()) // its length is right
	}
	return &TokenKey{aead}
}

// Seal appends a token. nonce must be random: a repeated one, to be expected
// after some 2^48 tokens, would let an observer forge tokens. It panics when the
// address is longer than MaxTokenAddress, which is a bug of the caller.
func (k *TokenKey) Seal(b []byte, t *Token, nonce *[TokenNonceLen]byte) []byte {
	if len(t.Address) > MaxTokenAddress {
		panic("protect: address is too long for a token")
	}
	plain := make([]byte, 0, MaxTokenLen)
	var flags byte
	if t.Retry {
		flags = 1
	}
	plain = append(plain, flags)
	plain = binary.BigEndian.AppendUint32(plain, uint32(t.Version))
	plain = binary.BigEndian.AppendUint64(plain, uint64(t.IssuedAt))
	plain = append(plain, byte(len(t.Address)))
	plain = append(plain, t.Address...)
	plain = append(plain, byte(t.OriginalDstID.Len()))
	plain = append(plain, t.OriginalDstID.Bytes()...)
	b = append(b, nonce[:]...)
	return k.aead.Seal(b, nonce[:], plain, nil)
}

// Open reads a token into t. For anything but a token that Seal made with the
// same key it returns ErrToken; t is unspecified then.
func (k *TokenKey) Open(token []byte, t *Token) error {
	if len(token) < TokenNonceLen+tokenFixedLen+Overhead || len(token) > MaxTokenLen {
		return ErrToken
	}
	plain, err := k.aead.Open(nil, token[:TokenNonceLen], token[TokenNonceLen:], nil)
	if err != nil {
		return ErrToken
	}
	t.Retry = plain[0]&1 != 0
	t.Version = wire.Version(binary.BigEndian.Uint32(plain[1:]))
	t.IssuedAt = monotime.Time(binary.BigEndian.Uint64(plain[5:]))
	address, rest, ok := cutShort(plain[13:])
	if !ok || len(address) > MaxTokenAddress {
		return ErrToken
	}
	id, rest, ok := cutShort(rest)
	if !ok || len(rest) != 0 {
		return ErrToken
	}
	t.Address = address
	if t.OriginalDstID, ok = wire.NewConnectionID(id); !ok {
		return ErrToken
	}
	return nil
}

// cutShort takes a slice behind a one-byte length off b.
func cutShort(b []byte) (head, tail []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n:n], b[n:], true
}
