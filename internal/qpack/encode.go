package qpack

// First bytes of the representations of RFC 9204, Section 4.5, that refer to
// the static table or to none.
const (
	indexedStatic     = 0b1100_0000 // 6-bit index
	nameRefStatic     = 0b0101_0000 // 4-bit index
	literalName       = 0b0010_0000 // 3-bit length, below its Huffman bit
	literalNameCoded  = 0b0000_1000
	literalValueCoded = 0b1000_0000 // 7-bit length
)

// AppendPrefix appends the beginning of a field section without references to
// the dynamic table: Required Insert Count and Base are 0 (RFC 9204, Section
// 4.5.1). The section's fields follow.
func AppendPrefix(b []byte) []byte { return append(b, 0, 0) }

// AppendField appends one field line in its shortest form. The name must be in
// lower case. Strings are Huffman-coded where that is shorter.
func AppendField(b []byte, name, value string) []byte {
	index, exact := findStatic(name, value)
	switch {
	case exact:
		return appendInteger(b, indexedStatic, 6, uint64(index))
	case index >= 0:
		b = appendInteger(b, nameRefStatic, 4, uint64(index))
	default:
		b = appendString(b, literalName, literalNameCoded, 3, name)
	}
	return appendString(b, 0, literalValueCoded, 7, value)
}

// AppendFieldSection appends a whole field section, prefix included.
func AppendFieldSection(b []byte, fields []Field) []byte {
	b = AppendPrefix(b)
	for _, f := range fields {
		b = AppendField(b, f.Name, f.Value)
	}
	return b
}

// appendString appends a string literal whose length has a prefix of n bits;
// coded is the bit of the first byte that says that it is Huffman-coded.
func appendString(b []byte, first, coded byte, n uint, s string) []byte {
	if size := huffmanSize(s); size < len(s) {
		b = appendInteger(b, first|coded, n, uint64(size))
		return appendHuffman(b, s)
	}
	b = appendInteger(b, first, n, uint64(len(s)))
	return append(b, s...)
}
