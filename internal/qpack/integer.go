package qpack

// maxInteger is the largest integer this package reads: decoders must accept 62
// bits (RFC 9204, Section 4.1.1) and nothing needs more.
const maxInteger = 1<<62 - 1

// appendInteger appends v as an integer with a prefix of n bits (RFC 7541,
// Section 5.1). The bits above the prefix are taken from first.
func appendInteger(b []byte, first byte, n uint, v uint64) []byte {
	limit := uint64(1)<<n - 1
	if v < limit {
		return append(b, first|byte(v))
	}
	b = append(b, first|byte(limit))
	for v -= limit; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// consumeInteger reads an integer whose first byte has a prefix of n bits. It
// returns the rest of b, and errTruncated or errInteger when there is none.
func consumeInteger(b []byte, n uint) (v uint64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, errTruncated
	}
	limit := uint64(1)<<n - 1
	v = uint64(b[0]) & limit
	if v < limit {
		return v, b[1:], nil
	}
	for i := 1; i < len(b); i++ {
		v, err = addGroup(v, i-1, b[i])
		if err != nil {
			return 0, nil, err
		}
		if b[i] < 0x80 {
			return v, b[i+1:], nil
		}
	}
	return 0, nil, errTruncated
}

// addGroup adds the i-th continuation byte, which carries seven bits, to v.
func addGroup(v uint64, i int, c byte) (uint64, error) {
	// Nine groups reach bit 62; a tenth can only pad or overflow.
	if i > 8 {
		return 0, errInteger
	}
	v += uint64(c&0x7f) << (7 * i)
	if v > maxInteger {
		return 0, errInteger
	}
	return v, nil
}
