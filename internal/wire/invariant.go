package wire

import (
	"encoding/binary"
	"iter"
)

// The first byte of a packet (RFC 9000, Sections 17.2 and 17.3).
const (
	longBit     = 0x80
	fixedBit    = 0x40
	spinBit     = 0x20
	keyPhaseBit = 0x04
)

// Invariant is what every version of QUIC puts into its packets (RFC 8999).
// DstID and SrcID alias the datagram; in versions other than 1 and 2 they may
// have up to 255 bytes. A short header has neither Version nor SrcID.
type Invariant struct {
	Long         bool
	Version      Version
	DstID, SrcID []byte
}

// IsQUIC reports whether a datagram is one of QUIC where others share its port: with the
// fixed bit, the second, set (RFC 9443, Section 3). STUN, DTLS, RTP and others have it
// clear; TURN's channels are to be told by their server's address.
func IsQUIC(datagram []byte) bool { return len(datagram) > 0 && datagram[0]&fixedBit != 0 }

// ParseInvariant reads the version-independent part of the packet at the
// beginning of b. shortIDLen is the length of the connection IDs that the
// receiver hands out, which short headers do not tell. It returns false when b
// is too short.
func ParseInvariant(b []byte, shortIDLen int) (Invariant, bool) {
	inv, n := consumeInvariant(b, shortIDLen)
	return inv, n > 0
}

// consumeInvariant returns the offset of what follows the connection IDs, or
// -1.
func consumeInvariant(b []byte, shortIDLen int) (inv Invariant, n int) {
	if len(b) == 0 {
		return inv, -1
	}
	r := reader{b: b, off: 1}
	if b[0]&longBit == 0 {
		inv.DstID = r.bytes(uint64(shortIDLen))
		return inv, r.off
	}
	inv.Long = true
	if v := r.bytes(4); v != nil {
		inv.Version = Version(binary.BigEndian.Uint32(v))
	}
	inv.DstID = r.shortBytes()
	inv.SrcID = r.shortBytes()
	return inv, r.off
}

// shortBytes reads a slice behind a one-byte length.
func (r *reader) shortBytes() []byte {
	n := r.bytes(1)
	if n == nil {
		return nil
	}
	return r.bytes(uint64(n[0]))
}

// AppendVersionNegotiation appends a Version Negotiation packet that offers
// versions (RFC 9000, Section 17.2.1). dst and src are the source and the
// destination ID of the packet it answers, as long as 255 bytes. Of
// firstByteRandom all bits but the two highest are used; the second highest is
// set so that the packet can share a port with other protocols.
func AppendVersionNegotiation(b, dst, src []byte, firstByteRandom byte, versions []Version) []byte {
	b = append(b, firstByteRandom|longBit|fixedBit, 0, 0, 0, 0, byte(len(dst)))
	b = append(b, dst...)
	b = append(b, byte(len(src)))
	b = append(b, src...)
	for _, v := range versions {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// ParseVersionNegotiation returns the versions that the Version Negotiation
// packet b offers, at least one. It returns false when b is something else or
// malformed; the connection IDs are ParseInvariant's to tell. The iterator
// reads from b.
func ParseVersionNegotiation(b []byte) (versions iter.Seq[Version], ok bool) {
	inv, n := consumeInvariant(b, 0)
	if n < 0 || !inv.Long || inv.Version != 0 {
		return nil, false
	}
	list := b[n:]
	if len(list) == 0 || len(list)%4 != 0 {
		return nil, false
	}
	return func(yield func(Version) bool) {
		for i := 0; i < len(list); i += 4 {
			if !yield(Version(binary.BigEndian.Uint32(list[i:]))) {
				return
			}
		}
	}, true
}
