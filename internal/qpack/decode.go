package qpack

// Decoder is what decoding takes besides a dynamic table: a scratch buffer and
// recently seen strings, so that what repeats from section to section is not
// allocated again. It holds no state of a connection; so Decoders may be pooled
// and shared by connections, one goroutine at a time. The zero value is ready.
type Decoder struct {
	scratch []byte
	recent  recentStrings
	coded   recentCoded
}

// AppendFields appends the fields of an encoded section (the payload of a
// HEADERS frame) to dst, for a connection whose dynamic table has a capacity of
// 0; DecoderTable.AppendFields is for others. The section's bytes are not
// retained.
//
// The sum of the fields' Size may be maxSize at most; ErrSectionTooLarge is
// returned as soon as it is exceeded, before what exceeds it is stored. Any
// other error is an *Error. With an error dst holds the fields before it.
func (d *Decoder) AppendFields(dst []Field, section []byte, maxSize int) ([]Field, error) {
	p, b, err := consumePrefix(section)
	if err != nil {
		return dst, err
	}
	if _, _, err := p.resolve(0, 0); err != nil {
		return dst, err
	}
	return d.appendFields(dst, b, &references{}, maxSize)
}

// appendFields appends the fields of the field lines in b.
func (d *Decoder) appendFields(dst []Field, b []byte, refs *references, maxSize int) ([]Field, error) {
	for size := 0; len(b) > 0; {
		f, rest, err := d.consumeField(b, refs, maxSize-size-FieldOverhead)
		if err != nil {
			return dst, err
		}
		if size += f.Size(); size > maxSize {
			return dst, ErrSectionTooLarge
		}
		dst, b = append(dst, f), rest
	}
	return dst, nil
}

// consumeField reads one field line (RFC 9204, Sections 4.5.2 to 4.5.6) whose
// name and value together have room bytes at most. The N bit is for
// intermediaries and ignored.
func (d *Decoder) consumeField(b []byte, refs *references, room int) (f Field, rest []byte, err error) {
	switch first := b[0]; {
	case first&indexedStatic == indexedStatic:
		return consumeStatic(b, 6)
	case first&indexedDynamic != 0:
		return refs.consumeRelative(b, 6)
	case first&nameRefStatic == nameRefStatic:
		f, b, err = consumeStatic(b, 4)
	case first&nameRefDynamic != 0:
		f, b, err = refs.consumeRelative(b, 4)
	case first&literalName != 0:
		f.Name, b, err = d.consumeString(b, literalNameCoded, 3, room)
	case first&indexedPostBase != 0:
		return refs.consumePostBase(b, 4)
	default:
		f, b, err = refs.consumePostBase(b, 3)
	}
	if err != nil {
		return f, nil, err
	}
	f.Value, b, err = d.consumeString(b, literalValueCoded, 7, room-len(f.Name))
	return f, b, err
}

// consumeStatic reads an index with a prefix of n bits, 6 at most, into the static
// table. b is not empty.
func consumeStatic(b []byte, n uint) (Field, []byte, error) {
	if i := b[0] & (1<<n - 1); i != 1<<n-1 { // most are that short
		return staticTable[i&(1<<6-1)], b[1:], nil
	}
	index, rest, err := consumeInteger(b, n)
	if err != nil {
		return Field{}, nil, err
	}
	if index >= uint64(len(staticTable)) {
		return Field{}, nil, errStaticIndex
	}
	return staticTable[index], rest, nil
}

// references is what the indexes in one field section refer to. The zero value
// is that of a section without dynamic references.
type references struct {
	table          *dynamicTable
	required, base uint64
}

// consumeRelative reads an index relative to the Base (RFC 9204, Section
// 3.2.5), with a prefix of n bits.
func (r *references) consumeRelative(b []byte, n uint) (Field, []byte, error) {
	index, rest, err := consumeInteger(b, n)
	if err != nil {
		return Field{}, nil, err
	}
	if index >= r.base {
		return Field{}, nil, errReference
	}
	f, err := r.at(r.base - 1 - index)
	return f, rest, err
}

// consumePostBase reads a post-Base index (RFC 9204, Section 3.2.6), with a
// prefix of n bits.
func (r *references) consumePostBase(b []byte, n uint) (Field, []byte, error) {
	index, rest, err := consumeInteger(b, n)
	if err != nil {
		return Field{}, nil, err
	}
	f, err := r.at(r.base + index)
	return f, rest, err
}

// at returns the entry with an absolute index. It must be one that the section's
// Required Insert Count covers (RFC 9204, Section 2.2.3).
func (r *references) at(index uint64) (Field, error) {
	if index >= r.required || !r.table.has(index) {
		return Field{}, errReference
	}
	return *r.table.at(index), nil
}

// consumeString reads a string literal of room bytes at most, once decoded. Its
// length has a prefix of n bits, and the coded bit says that it is
// Huffman-coded.
func (d *Decoder) consumeString(b []byte, coded byte, n uint, room int) (string, []byte, error) {
	raw, rest, err := consumeLiteral(b, coded, n)
	if err != nil {
		return "", nil, err
	}
	if uint64(len(rest)) < raw.length {
		return "", nil, errTruncated
	}
	s, err := d.decodeString(rest[:raw.length], raw.isCoded, room)
	return s, rest[raw.length:], err
}

// decodeString returns the string of room bytes at most that a literal stands
// for.
func (d *Decoder) decodeString(raw []byte, isCoded bool, room int) (_ string, err error) {
	if isCoded {
		return d.decodeHuffman(raw, room)
	}
	if len(raw) > room {
		return "", ErrSectionTooLarge
	}
	s, _ := d.recent.intern(raw)
	return s, nil
}

// decodeHuffman returns the string of room bytes at most that a Huffman-coded
// literal stands for.
func (d *Decoder) decodeHuffman(coded []byte, room int) (_ string, err error) {
	if len(coded)/huffmanExpansion > room {
		return "", ErrSectionTooLarge
	}
	s, slot := d.coded.find(coded)
	if slot == nil {
		if len(s) > room {
			return "", ErrSectionTooLarge
		}
		return s, nil
	}
	if d.scratch, err = appendHuffmanDecoded(d.scratch[:0], coded); err != nil {
		return "", err
	}
	if len(d.scratch) > room {
		return "", ErrSectionTooLarge
	}
	s, again := d.recent.intern(d.scratch)
	if again {
		slot.put(coded, s)
	}
	return s, nil
}

// literal is the beginning of a string literal.
type literal struct {
	length  uint64 // in bytes, as on the wire
	isCoded bool
}

// consumeLiteral reads the beginning of a string literal, whose length has a
// prefix of n bits.
func consumeLiteral(b []byte, coded byte, n uint) (l literal, rest []byte, err error) {
	if len(b) == 0 {
		return l, nil, errTruncated
	}
	l.isCoded = b[0]&coded != 0
	l.length, rest, err = consumeInteger(b, n)
	return l, rest, err
}

// minSize is the least number of bytes the string has once decoded.
func (l literal) minSize() uint64 {
	if l.isCoded {
		return l.length / huffmanExpansion
	}
	return l.length
}
