package qpack

import "sync/atomic"

// First bytes of the representations of RFC 9204, Sections 4.5.2 to 4.5.6.
const (
	indexedStatic   = 0b1100_0000 // 6-bit index
	indexedDynamic  = 0b1000_0000 // 6-bit index, relative
	nameRefStatic   = 0b0101_0000 // 4-bit index
	nameRefDynamic  = 0b0100_0000 // 4-bit index, relative
	literalName     = 0b0010_0000 // 3-bit length, below its Huffman bit
	indexedPostBase = 0b0001_0000 // 4-bit index; without the bit, a 3-bit name index

	literalNameCoded  = 0b0000_1000 // the Huffman bit of a literal name
	literalValueCoded = 0b1000_0000 // of a value, whose length has 7 bits

	neverIndexed     = 0b0010_0000 // the N bit with nameRefStatic and nameRefDynamic
	neverIndexedName = 0b0001_0000 // with literalName
)

// AppendPrefix appends the beginning of a field section without references to
// the dynamic table: Required Insert Count and Base are 0 (RFC 9204, Section
// 4.5.1). The section's fields follow.
func AppendPrefix(b []byte) []byte { return append(b, 0, 0) }

// AppendField appends one field line in its shortest form without the dynamic
// table. The name must be in lower case. Strings are Huffman-coded where that is
// shorter.
func AppendField(b []byte, name, value string) []byte {
	index, exact := findStatic(name, value, nameHash(name))
	switch {
	case exact:
		return appendInteger(b, indexedStatic, 6, uint64(index))
	case index >= 0:
		return appendWithName(b, nameRefStatic, uint64(index), name, value)
	}
	return appendLiteral(b, name, value)
}

// appendWithName appends a literal field line with a name reference; first is
// nameRefStatic or nameRefDynamic.
func appendWithName(b []byte, first byte, index uint64, name, value string) []byte {
	if isSensitive(name, value) {
		first |= neverIndexed
	}
	b = appendInteger(b, first, 4, index)
	if name == "date" && len(value) == dateLen {
		return appendDate(b, value)
	}
	return appendString(b, 0, literalValueCoded, 7, value)
}

// dateLen is the length of a date that is as it should be (RFC 9110, Section 5.6.7).
const dateLen = len("Sun, 06 Nov 1994 08:49:37 GMT")

// lastDate is the last value of a date field as a string literal: responses of one
// second have the same.
var lastDate atomic.Pointer[codedDate]

type codedDate struct {
	text  string
	coded []byte
}

func appendDate(b []byte, value string) []byte {
	last := lastDate.Load()
	if last == nil || last.text != value {
		last = &codedDate{value, appendString(nil, 0, literalValueCoded, 7, value)}
		lastDate.Store(last)
	}
	return append(b, last.coded...)
}

// appendLiteral appends a literal field line with a literal name.
func appendLiteral(b []byte, name, value string) []byte {
	first := byte(literalName)
	if isSensitive(name, value) {
		first |= neverIndexedName
	}
	b = appendString(b, first, literalNameCoded, 3, name)
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
