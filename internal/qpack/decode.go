package qpack

// Decoder reads field sections. It holds no state of a connection: only a
// scratch buffer and recently seen strings, so that what repeats from section
// to section is not allocated again. Decoders may therefore be pooled and
// shared by connections, one goroutine at a time. The zero value is ready.
type Decoder struct {
	scratch []byte
	recent  recentStrings
}

// AppendFields appends the fields of an encoded section (the payload of a
// HEADERS frame) to dst. The section's bytes are not retained.
//
// The sum of the fields' Size may be maxSize at most; ErrSectionTooLarge is
// returned as soon as it is exceeded, before what exceeds it is stored. Any
// other error is an *Error. With an error dst holds the fields before it.
func (d *Decoder) AppendFields(dst []Field, section []byte, maxSize int) ([]Field, error) {
	b, err := consumePrefix(section)
	for size := 0; err == nil && len(b) > 0; {
		var f Field
		f, b, err = d.consumeField(b, maxSize-size-FieldOverhead)
		if err != nil {
			break
		}
		if size += f.Size(); size > maxSize {
			return dst, ErrSectionTooLarge
		}
		dst = append(dst, f)
	}
	return dst, err
}

// consumePrefix reads the prefix of a field section (RFC 9204, Section 4.5.1).
func consumePrefix(b []byte) ([]byte, error) {
	requiredInsertCount, b, err := consumeInteger(b, 8)
	if err != nil {
		return nil, err
	}
	if requiredInsertCount != 0 {
		return nil, errDynamic
	}
	if len(b) > 0 && b[0]&0x80 != 0 {
		// The sign subtracts at least one from an insert count of 0.
		return nil, errBase
	}
	// Any other base will do for a section without dynamic references.
	_, b, err = consumeInteger(b, 7)
	return b, err
}

// consumeField reads one field line (RFC 9204, Sections 4.5.2 to 4.5.6) whose
// name and value together have room bytes at most.
func (d *Decoder) consumeField(b []byte, room int) (f Field, rest []byte, err error) {
	switch first := b[0]; {
	case first&indexedStatic == indexedStatic:
		return consumeStatic(b, 6)
	case first&0b1101_0000 == nameRefStatic: // leaving out the N bit, which is for intermediaries
		f, b, err = consumeStatic(b, 4)
	case first&0b1110_0000 == literalName:
		f.Name, b, err = d.consumeString(b, literalNameCoded, 3, room)
	default:
		return f, nil, errDynamic
	}
	if err != nil {
		return f, nil, err
	}
	f.Value, b, err = d.consumeString(b, literalValueCoded, 7, room-len(f.Name))
	return f, b, err
}

// consumeStatic reads an index with a prefix of n bits into the static table.
func consumeStatic(b []byte, n uint) (Field, []byte, error) {
	index, rest, err := consumeInteger(b, n)
	if err != nil {
		return Field{}, nil, err
	}
	if index >= uint64(len(staticTable)) {
		return Field{}, nil, errStaticIndex
	}
	return staticTable[index], rest, nil
}

// consumeString reads a string literal of room bytes at most, once decoded. Its
// length has a prefix of n bits, and the coded bit says that it is
// Huffman-coded.
func (d *Decoder) consumeString(b []byte, coded byte, n uint, room int) (string, []byte, error) {
	if len(b) == 0 {
		return "", nil, errTruncated
	}
	isCoded := b[0]&coded != 0
	length, b, err := consumeInteger(b, n)
	if err != nil {
		return "", nil, err
	}
	if length > uint64(len(b)) {
		return "", nil, errTruncated
	}
	raw, rest := b[:length], b[length:]
	if isCoded {
		// Four bytes of the coded form are at least one octet.
		if len(raw)/4 > room {
			return "", nil, ErrSectionTooLarge
		}
		if d.scratch, err = appendHuffmanDecoded(d.scratch[:0], raw); err != nil {
			return "", nil, err
		}
		raw = d.scratch
	}
	if len(raw) > room {
		return "", nil, ErrSectionTooLarge
	}
	return d.recent.intern(raw), rest, nil
}
