package qpack

// prefix is the beginning of a field section as it is on the wire (RFC 9204,
// Section 4.5.1).
type prefix struct {
	encodedInsertCount uint64
	negative           bool // the Sign bit
	deltaBase          uint64
}

// consumePrefix reads the prefix of a field section.
func consumePrefix(b []byte) (p prefix, rest []byte, err error) {
	if p.encodedInsertCount, b, err = consumeInteger(b, 8); err != nil {
		return p, nil, err
	}
	p.negative = len(b) > 0 && b[0]&0x80 != 0
	p.deltaBase, b, err = consumeInteger(b, 7)
	return p, b, err
}

// resolve returns the Required Insert Count and the Base that the prefix stands
// for (RFC 9204, Sections 4.5.1.1 and 4.5.1.2), given the number of entries
// inserted so far and how many the largest table allowed has room for.
func (p *prefix) resolve(inserted, maxEntries uint64) (required, base uint64, err error) {
	if p.encodedInsertCount != 0 {
		if required, err = expandInsertCount(p.encodedInsertCount, inserted, maxEntries); err != nil {
			return 0, 0, err
		}
	}
	if !p.negative {
		return required, required + p.deltaBase, nil // 62 bits each: it fits
	}
	if required <= p.deltaBase {
		return 0, 0, errBase
	}
	return required, required - p.deltaBase - 1, nil
}

// expandInsertCount undoes the reduction of the Required Insert Count modulo
// twice the number of entries there can be: it is the one number of the last
// maxEntries insertions, or the next maxEntries, with this remainder.
func expandInsertCount(encoded, inserted, maxEntries uint64) (uint64, error) {
	fullRange := 2 * maxEntries
	if encoded > fullRange {
		return 0, errInsertCount
	}
	most := inserted + maxEntries
	required := most/fullRange*fullRange + encoded - 1
	if required > most {
		if required <= fullRange {
			return 0, errInsertCount
		}
		required -= fullRange
	}
	if required == 0 {
		return 0, errInsertCount // 0 is encoded as 0
	}
	return required, nil
}

// appendPrefix appends the prefix of a field section whose Required Insert Count
// is not 0.
func appendPrefix(b []byte, required, base, maxEntries uint64) []byte {
	b = appendInteger(b, 0, 8, required%(2*maxEntries)+1)
	if base >= required {
		return appendInteger(b, 0, 7, base-required)
	}
	return appendInteger(b, 0x80, 7, required-base-1)
}
