package protect

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Token is what an address validation token remembers for the server that
// issued it (RFC 9000, Section 8.1).
type Token struct {
	// Retry says that the token was sent in a Retry packet, not in NEW_TOKEN.
	Retry bool

	// Version is that of the packet that the token answers, or of the connection.
	Version wire.Version

	// IssuedAt is in wall time, to the millisecond, as the token may be used at another
	// server, or after a restart.
	IssuedAt time.Time

	// Address is the client's, in any form of at most MaxTokenAddress bytes.
	Address []byte

	// OriginalDstID is the destination ID of the Initial packet that a Retry
	// answered.
	OriginalDstID wire.ConnectionID
}

// A token is
//
//	{ format (24), kind (8), nonce (96), encrypted { version (32), milliseconds since 1970 (64),
//	  address length (8), address (..), ID length (8), original destination ID (..) }, tag (128) }
//
// Format and kind are authenticated and can be read by anybody: so a server that does not
// have the key knows a token of a Retry packet all the same, whose client does not take
// another one (RFC 9000, Section 8.1.2). They are the same for all clients.
const (
	tokenFormat = "gw1"

	kindNewToken = 0
	kindRetry    = 1

	tokenHeaderLen = len(tokenFormat) + 1

	// MaxTokenAddress is the longest Token.Address: an IPv6 address with port
	// and some room.
	MaxTokenAddress = 32

	// TokenNonceLen is how many random bytes a token takes.
	TokenNonceLen = 12

	tokenFixedLen = 4 + 8 + 1 + 1 // version, time, and the lengths of address and ID
	minTokenLen   = tokenHeaderLen + TokenNonceLen + tokenFixedLen + Overhead

	// MaxTokenLen is the length of the longest token.
	MaxTokenLen = minTokenLen + MaxTokenAddress + wire.MaxConnectionIDLen
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
	kind := byte(kindNewToken)
	if t.Retry {
		kind = kindRetry
	}
	start := len(b)
	b = append(append(b, tokenFormat...), kind)
	nonceAt := len(b)
	b = append(b, nonce[:]...)
	plainAt := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(t.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(t.IssuedAt.UnixMilli()))
	b = append(b, byte(len(t.Address)))
	b = append(b, t.Address...)
	b = append(b, byte(t.OriginalDstID.Len()))
	b = append(b, t.OriginalDstID.Bytes()...)
	return k.aead.Seal(b[:plainAt], b[nonceAt:plainAt], b[plainAt:], b[start:nonceAt])
}

// Open reads a token into t. For anything but a token that Seal made with the
// same key it returns ErrToken; t is unspecified then.
func (k *TokenKey) Open(token []byte, t *Token) error {
	if len(token) < minTokenLen || len(token) > MaxTokenLen || string(token[:len(tokenFormat)]) != tokenFormat {
		return ErrToken
	}
	header, rest := token[:tokenHeaderLen], token[tokenHeaderLen:]
	plain, err := k.aead.Open(nil, rest[:TokenNonceLen], rest[TokenNonceLen:], header)
	kind := header[len(tokenFormat)]
	if err != nil || kind > kindRetry {
		return ErrToken
	}
	t.Retry = kind == kindRetry
	t.Version = wire.Version(binary.BigEndian.Uint32(plain))
	t.IssuedAt = time.UnixMilli(int64(binary.BigEndian.Uint64(plain[4:])))
	address, plain, ok := cutShort(plain[12:])
	if !ok || len(address) > MaxTokenAddress {
		return ErrToken
	}
	id, plain, ok := cutShort(plain)
	if !ok || len(plain) != 0 {
		return ErrToken
	}
	t.Address = address
	if t.OriginalDstID, ok = wire.NewConnectionID(id); !ok {
		return ErrToken
	}
	return nil
}

// TokenNonce returns what no other token has, of one that Open has read.
func TokenNonce(token []byte) (nonce [TokenNonceLen]byte) {
	copy(nonce[:], token[tokenHeaderLen:])
	return nonce
}

// LooksLikeRetryToken reports whether a token says of itself that it is one of a Retry
// packet, in this format, whoever made it.
func LooksLikeRetryToken(token []byte) bool {
	return len(token) >= tokenHeaderLen && string(token[:tokenHeaderLen]) == tokenFormat+string(rune(kindRetry))
}

// TokenKeys are several TokenKeys, the newest first, so that keys can be exchanged while
// tokens of those before are on their way. There is one at least.
type TokenKeys []*TokenKey

// NewTokenKeys returns the TokenKeys for secrets.
func NewTokenKeys(secrets [][32]byte) TokenKeys {
	keys := make(TokenKeys, len(secrets))
	for i := range secrets {
		keys[i] = NewTokenKey(&secrets[i])
	}
	return keys
}

// Seal is that of the newest key.
func (keys TokenKeys) Seal(b []byte, t *Token, nonce *[TokenNonceLen]byte) []byte {
	return keys[0].Seal(b, t, nonce)
}

// Open is TokenKey.Open with the key that the token was made with.
func (keys TokenKeys) Open(token []byte, t *Token) error {
	for _, k := range keys {
		if k.Open(token, t) == nil {
			return nil
		}
	}
	return ErrToken
}

// cutShort takes a slice behind a one-byte length off b.
func cutShort(b []byte) (head, tail []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n:n], b[n:], true
}
