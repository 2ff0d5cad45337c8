package protect

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/wire"
)

// The errors of opening a packet.
var (
	// ErrDecrypt: the packet is too short or not authentic. It is to be
	// dropped (RFC 9001, Section 5.5).
	ErrDecrypt = errors.New("protect: packet cannot be decrypted")

	// ErrReservedBits: an authentic packet has reserved bits set, a
	// PROTOCOL_VIOLATION (RFC 9000, Section 17.2).
	ErrReservedBits = errors.New("protect: reserved header bits are set")

	// ErrKeyUpdate: the peer broke the rules of key updates, a
	// KEY_UPDATE_ERROR (RFC 9001, Section 6).
	ErrKeyUpdate = errors.New("protect: key update out of turn")

	// ErrAEADLimit: the keys have been used as often as is safe, an
	// AEAD_LIMIT_REACHED (RFC 9001, Section 6.6).
	ErrAEADLimit = errors.New("protect: AEAD limit reached")
)

// Sealer protects the packets of one direction and encryption level that does
// not update its keys. The zero value has no keys.
type Sealer struct {
	packet packetKey
	header headerKey
}

// NewSealer derives packet protection from a TLS secret.
func NewSealer(v wire.Version, suite Suite, secret []byte) (Sealer, error) {
	packet, err := newPacketKey(v, suite, secret)
	if err != nil {
		return Sealer{}, err
	}
	header, err := newHeaderKey(v, suite, secret)
	return Sealer{packet, header}, err
}

// Seal protects a packet in place and returns it, Overhead bytes longer, for
// which it should have the capacity. pkt[pnOffset+pnLen:] is the plaintext,
// which with the packet number must have at least 4 bytes for header protection
// to sample (RFC 9001, Section 5.4.2).
func (s *Sealer) Seal(pkt []byte, pnOffset, pnLen int, pn wire.PacketNumber) []byte {
	pkt = s.packet.seal(pkt, pnOffset+pnLen, pn, &s.header.mask)
	s.header.protect(pkt, pnOffset, pnLen)
	return pkt
}

// Valid reports whether s has keys.
func (s *Sealer) Valid() bool { return s.packet.valid() }

// Opener removes the protection that a Sealer with the same secret applied. The
// zero value has no keys.
type Opener struct {
	packet packetKey
	header headerKey
}

// NewOpener derives packet protection from a TLS secret.
func NewOpener(v wire.Version, suite Suite, secret []byte) (Opener, error) {
	s, err := NewSealer(v, suite, secret)
	return Opener(s), err
}

// Open opens pkt, which is exactly one packet, in place. largest is the largest
// packet number opened in the space so far. After an error the packet is
// destroyed but for its last Overhead bytes, which may be a stateless reset
// token; with ErrReservedBits it was authentic nevertheless.
func (o *Opener) Open(pkt []byte, pnOffset int, largest wire.PacketNumber) (payload []byte, pn wire.PacketNumber, err error) {
	truncated, pnLen := o.header.unprotect(pkt, pnOffset)
	if pnLen == 0 {
		return nil, wire.NoPacket, ErrDecrypt
	}
	pn = wire.DecodePacketNumber(largest, truncated, pnLen)
	payload, err = o.packet.open(pkt, pnOffset+pnLen, pn, &o.header.mask)
	if err == nil && reservedSet(pkt[0]) {
		err = ErrReservedBits
	}
	return payload, pn, err
}

// Valid reports whether o has keys.
func (o *Opener) Valid() bool { return o.packet.valid() }

// NewInitial returns the protection of Initial packets for one side. dstID is
// the destination ID of the client's first Initial packet, or of the first
// after a Retry (RFC 9001, Section 5.2).
func NewInitial(v wire.Version, dstID []byte, side wire.Side) (Sealer, Opener) {
	client, server := initialSecrets(v, dstID)
	if side == wire.ServerSide {
		client, server = server, client
	}
	sealer, errSeal := NewSealer(v, AES128GCM, client[:])
	opener, errOpen := NewOpener(v, AES128GCM, server[:])
	if err := errors.Join(errSeal, errOpen); err != nil {
		panic("protect: Initial keys: " + err.Error()) // the suite is known
	}
	return sealer, opener
}
