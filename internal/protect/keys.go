package protect

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20"

	"github.com/godwit-quic/godwit/internal/protect/gcm"
	"github.com/godwit-quic/godwit/internal/wire"
)

const ivLen = 12

// packetKey protects payloads (RFC 9001, Section 5.3). The zero value has no
// key.
type packetKey struct {
	gcm  *gcm.Key    // of AES where that package is available
	aead cipher.AEAD // otherwise
	iv   [ivLen]byte // for aead
}

// newPacketKey derives the AEAD's key and IV from a secret.
func newPacketKey(v wire.Version, s Suite, secret []byte) (k packetKey, err error) {
	l := labelsOf(v)
	var sum, sumIV hashValue
	key := s.derive(&sum, secret, l.key, s.keyLen())
	copy(k.iv[:], s.derive(&sumIV, secret, l.iv, ivLen))
	if s.aes() && gcm.Available() {
		k.gcm = gcm.NewKey(key, &k.iv)
	} else {
		k.aead, err = newAEAD(s, key)
	}
	return k, err
}

// valid reports whether there is a key.
func (k *packetKey) valid() bool { return k.gcm != nil || k.aead != nil }

// scratch is memory for a nonce or a mask: in a local variable it would escape
// through the interfaces of the ciphers.
type scratch [sampleLen]byte

// nonce combines the IV with the packet number.
func (k *packetKey) nonce(pn wire.PacketNumber, sc *scratch) []byte {
	nonce := sc[:ivLen]
	copy(nonce, k.iv[:])
	low := nonce[ivLen-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^uint64(pn))
	return nonce
}

// seal encrypts pkt from payloadAt on, in place, and returns it with the tag.
func (k *packetKey) seal(pkt []byte, payloadAt int, pn wire.PacketNumber, sc *scratch) []byte {
	if k.gcm == nil {
		header := pkt[:payloadAt]
		return k.aead.Seal(header, k.nonce(pn, sc), pkt[payloadAt:], header)
	}
	pkt = slices.Grow(pkt, Overhead)[:len(pkt)+Overhead]
	k.gcm.Seal(pkt, []gcm.Packet{{Header: payloadAt, End: len(pkt), Number: uint64(pn)}})
	return pkt
}

// open decrypts pkt from payloadAt on, in place, and returns the payload.
func (k *packetKey) open(pkt []byte, payloadAt int, pn wire.PacketNumber, sc *scratch) ([]byte, error) {
	if k.gcm == nil {
		payload, err := k.aead.Open(pkt[payloadAt:payloadAt], k.nonce(pn, sc), pkt[payloadAt:], pkt[:payloadAt])
		if err != nil {
			return nil, ErrDecrypt
		}
		return payload, nil
	}
	end := len(pkt) - Overhead
	if end < payloadAt {
		return nil, ErrDecrypt
	}
	packets := [1]gcm.Packet{{Header: payloadAt, End: len(pkt), Number: uint64(pn)}}
	if k.gcm.Open(pkt, packets[:]); !packets[0].Authentic {
		return nil, ErrDecrypt
	}
	return pkt[payloadAt:end], nil
}

const (
	sampleLen = 16 // bytes of ciphertext that the mask is made from
	maxPNLen  = 4
)

// The bits of the first byte that header protection covers (RFC 9001, Section
// 5.4.1), and those of them that are reserved (RFC 9000, Section 17).
const (
	longHeaderBit = 0x80

	longMask      = 0x0f
	longReserved  = 0x0c
	shortMask     = 0x1f
	shortReserved = 0x18
	phaseBit      = 0x04
	pnLenMask     = 0x03
)

// headerKey protects headers (RFC 9001, Section 5.4).
type headerKey struct {
	masks *gcm.Masks      // of AES where that package is available
	block cipher.Block    // of AES otherwise
	key   [maxKeyLen]byte // of ChaCha20
	mask  scratch
}

func newHeaderKey(v wire.Version, s Suite, secret []byte) (headerKey, error) {
	return makeHeaderKey(s, headerSecret(v, s, secret))
}

// headerSecret derives the key of header protection from a secret.
func headerSecret(v wire.Version, s Suite, secret []byte) (key [maxKeyLen]byte) {
	var sum hashValue
	copy(key[:], s.derive(&sum, secret, labelsOf(v).hp, s.keyLen()))
	return key
}

func makeHeaderKey(s Suite, key [maxKeyLen]byte) (k headerKey, err error) {
	switch {
	case !s.aes():
		k.key = key
	case gcm.Available():
		k.masks = gcm.NewMasks(key[:s.keyLen()])
	default:
		if k.block, err = aes.NewCipher(key[:s.keyLen()]); err != nil {
			return k, fmt.Errorf("protect: %v: %w", s, err)
		}
	}
	return k, nil
}

// setMask computes the mask from a sample (RFC 9001, Sections 5.4.3 and 5.4.4).
func (k *headerKey) setMask(sample []byte) {
	switch {
	case k.masks != nil:
		masks := [1][sampleLen]byte{[sampleLen]byte(sample)}
		k.masks.Encrypt(masks[:])
		k.mask = masks[0]
	case k.block != nil:
		k.block.Encrypt(k.mask[:], sample)
	default:
		k.setChaCha20Mask(sample)
	}
}

func (k *headerKey) setChaCha20Mask(sample []byte) {
	c, err := chacha20.NewUnauthenticatedCipher(k.key[:], sample[4:])
	if err != nil {
		panic("protect: ChaCha20: " + err.Error()) // the lengths are constant
	}
	c.SetCounter(binary.LittleEndian.Uint32(sample))
	clear(k.mask[:])
	c.XORKeyStream(k.mask[:1+maxPNLen], k.mask[:1+maxPNLen])
}

// protect masks the header of a sealed packet.
func (k *headerKey) protect(pkt []byte, pnOffset, pnLen int) {
	k.setMask(pkt[pnOffset+maxPNLen : pnOffset+maxPNLen+sampleLen])
	k.mask.first(pkt)
	k.mask.number(pkt[pnOffset : pnOffset+pnLen])
}

// unprotect unmasks the header and returns the packet number as sent and its
// length. It returns 0 for a packet too short to have a sample.
func (k *headerKey) unprotect(pkt []byte, pnOffset int) (truncated uint64, pnLen int) {
	if len(pkt) < pnOffset+maxPNLen+sampleLen {
		return 0, 0
	}
	k.setMask(pkt[pnOffset+maxPNLen : pnOffset+maxPNLen+sampleLen])
	k.mask.first(pkt)
	pnLen = int(pkt[0]&pnLenMask) + 1
	number := pkt[pnOffset : pnOffset+pnLen]
	k.mask.number(number)
	for _, c := range number {
		truncated = truncated<<8 | uint64(c)
	}
	return truncated, pnLen
}

// first masks the first byte of a packet, or unmasks it.
func (mask *scratch) first(pkt []byte) {
	if pkt[0]&longHeaderBit != 0 {
		pkt[0] ^= mask[0] & longMask
	} else {
		pkt[0] ^= mask[0] & shortMask
	}
}

// number masks a packet number, or unmasks it.
func (mask *scratch) number(pn []byte) {
	for i := range pn {
		pn[i] ^= mask[1+i]
	}
}

// reservedSet reports whether a reserved bit of an unprotected first byte is
// set.
func reservedSet(first byte) bool {
	if first&longHeaderBit != 0 {
		return first&longReserved != 0
	}
	return first&shortReserved != 0
}
