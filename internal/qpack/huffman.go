package qpack

import "encoding/binary"

// huffmanLengths are the lengths in bits of the codes of RFC 7541, Appendix B,
// by octet. The code is canonical: within a length, codes ascend with the
// octet, and they begin where the shorter ones ended; so the lengths say all.
var huffmanLengths = [256]uint8{
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
	28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
	13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
	15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
	6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
	24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
	21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
	19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
	26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
}

const (
	// huffmanLongest is the longest code; only EOS and three octets have it.
	huffmanLongest = 30
	// huffmanPeek is how many bits the decoder looks up at once. Ten cover all
	// of printable ASCII but eleven rare signs, in a table of 2 KiB.
	huffmanPeek = 10
	// huffmanExpansion is how many bytes of coded text stand for at least one
	// octet.
	huffmanExpansion = 4
)

// huffmanEntry is an octet and the length of its code; the length 0 stands for
// a code that is longer than what was looked up.
type huffmanEntry struct{ octet, length uint8 }

var (
	huffmanCodes [256]uint64                    // right-aligned; above bit 32 the length
	huffmanShort [1 << huffmanPeek]huffmanEntry // by the next huffmanPeek bits
	huffmanLong  [huffmanLongest + 1]huffmanRow // by length
)

// huffmanRow is the codes of one length: consecutive numbers from first on,
// which stand for the octets in order.
type huffmanRow struct {
	first  uint32
	octets []uint8
}

func init() {
	var code uint32
	for length := 1; length <= huffmanLongest; length++ {
		code <<= 1
		row := &huffmanLong[length]
		row.first = code
		for octet, l := range huffmanLengths {
			if int(l) != length {
				continue
			}
			row.octets = append(row.octets, uint8(octet))
			huffmanCodes[octet] = uint64(l)<<32 | uint64(code)
			if spare := huffmanPeek - length; spare >= 0 {
				for i := code << spare; i < (code+1)<<spare; i++ {
					huffmanShort[i] = huffmanEntry{uint8(octet), l}
				}
			}
			code++
		}
	}
}

// huffmanSize is the length of s in bytes once coded.
func huffmanSize(s string) int {
	bits := 0
	for i := 0; i < len(s); i++ {
		bits += int(huffmanLengths[s[i]])
	}
	return (bits + 7) / 8
}

// appendHuffman appends s coded, padded with the first bits of EOS (ones).
func appendHuffman(b []byte, s string) []byte {
	var acc uint64 // the low n bits are yet to be appended
	var n uint
	for i := 0; i < len(s); i++ {
		code := huffmanCodes[s[i]]
		l := uint(code >> 32)
		acc = acc<<(l&63) | uint64(uint32(code))
		if n += l; n >= 32 {
			n -= 32
			b = binary.BigEndian.AppendUint32(b, uint32(acc>>(n&63)))
		}
	}
	for ; n >= 8; n -= 8 {
		b = append(b, byte(acc>>(n-8)))
	}
	if n > 0 {
		b = append(b, byte(acc<<(8-n))|byte(0xff>>n))
	}
	return b
}

// appendHuffmanDecoded appends what src codes to dst, or returns errHuffman:
// when EOS appears in it, or when the padding is longer than seven bits or not
// the beginning of EOS (RFC 7541, Section 5.2). The result is less than twice
// as long as src, the shortest code having five bits.
func appendHuffmanDecoded(dst, src []byte) ([]byte, error) {
	var acc uint64 // the top n bits are yet to be decoded
	var n uint
	for {
		if n < huffmanLongest {
			// Four bytes at once while there are as many.
			if len(src) >= 4 {
				acc |= uint64(binary.BigEndian.Uint32(src)) << (32 - n)
				src = src[4:]
				n += 32
			} else {
				for ; len(src) > 0; src = src[1:] {
					acc |= uint64(src[0]) << (56 - n)
					n += 8
				}
			}
		}
		// Beyond the end follow ones, which begin no shorter code than EOS.
		next := acc | ^uint64(0)>>n
		if n < 8 && next == ^uint64(0) {
			return dst, nil // padding, or nothing at all
		}
		e := huffmanShort[next>>(64-huffmanPeek)]
		if e.length == 0 {
			e = findLongCode(next)
		}
		if e.length == 0 || uint(e.length) > n {
			return dst, errHuffman
		}
		dst = append(dst, e.octet)
		acc <<= e.length
		n -= uint(e.length)
	}
}

// findLongCode decodes the code at the top of next when it is longer than
// huffmanPeek bits; the length is 0 for EOS.
func findLongCode(next uint64) huffmanEntry {
	for l := huffmanPeek + 1; l <= huffmanLongest; l++ {
		row := &huffmanLong[l]
		if i := uint32(next>>(64-l)) - row.first; i < uint32(len(row.octets)) {
			return huffmanEntry{row.octets[i], uint8(l)}
		}
	}
	return huffmanEntry{}
}
