package wire

import (
	"encoding/binary"
	"math/bits"
)

// MaxVarint is the largest value a variable-length integer can carry
// (RFC 9000, Section 16).
const MaxVarint = 1<<62 - 1

// SizeVarint returns the number of bytes of v's shortest encoding: 1, 2, 4 or
// 8. It panics when v is over MaxVarint, which is a bug of the caller.
func SizeVarint(v uint64) int {
	switch n := bits.Len64(v); {
	case n <= 6:
		return 1
	case n <= 14:
		return 2
	case n <= 30:
		return 4
	case n <= 62:
		return 8
	}
	panic("wire: integer does not fit into 62 bits")
}

// AppendVarint appends the shortest encoding of v (RFC 9000, Section 16). It
// panics when v is over MaxVarint, which is a bug of the caller.
func AppendVarint(b []byte, v uint64) []byte {
	if v < 1<<6 {
		return append(b, byte(v))
	}
	return appendLongVarint(b, v)
}

func appendLongVarint(b []byte, v uint64) []byte {
	switch SizeVarint(v) {
	case 2:
		return binary.BigEndian.AppendUint16(b, uint16(v)|1<<14)
	case 4:
		return binary.BigEndian.AppendUint32(b, uint32(v)|2<<30)
	default:
		return binary.BigEndian.AppendUint64(b, v|3<<62)
	}
}

// ConsumeVarint reads a variable-length integer in any of its encodings from
// the beginning of b. n is the number of bytes read, or -1 when b ends too
// early.
func ConsumeVarint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, -1
	}
	switch n = 1 << (b[0] >> 6); {
	case len(b) < n:
		return 0, -1
	case n == 1:
		return uint64(b[0]), 1
	case n == 2:
		return uint64(binary.BigEndian.Uint16(b)) & (1<<14 - 1), 2
	case n == 4:
		return uint64(binary.BigEndian.Uint32(b)) & (1<<30 - 1), 4
	default:
		return binary.BigEndian.Uint64(b) & MaxVarint, 8
	}
}

// reader takes fields off the beginning of b one after the other. After a
// field that is not there off is -1 and stays so, which makes it the result of
// every ConsumeX.
type reader struct {
	b   []byte
	off int
}

func (r *reader) varint() uint64 {
	if r.off < 0 {
		return 0
	}
	v, n := ConsumeVarint(r.b[r.off:])
	if n < 0 {
		r.off = -1
		return 0
	}
	r.off += n
	return v
}

// bytes returns the next n bytes; they alias r.b and cannot be appended to in
// place.
func (r *reader) bytes(n uint64) []byte {
	if r.off < 0 || n > uint64(len(r.b)-r.off) {
		r.off = -1
		return nil
	}
	end := r.off + int(n)
	p := r.b[r.off:end:end]
	r.off = end
	return p
}

// rest returns what has not been read yet.
func (r *reader) rest() []byte {
	if r.off < 0 {
		return nil
	}
	return r.bytes(uint64(len(r.b) - r.off))
}

// check makes the whole value invalid unless ok.
func (r *reader) check(ok bool) {
	if !ok {
		r.off = -1
	}
}
