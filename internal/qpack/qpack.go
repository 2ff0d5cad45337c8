// Package qpack compresses the header and trailer fields of HTTP/3 (RFC 9204)
// with the static table and Huffman coding. The dynamic table is never used in
// either direction: this end announces a capacity of 0 and ignores what the
// peer offers, so neither encoding nor decoding ever waits for another stream.
//
// A field section is appended field by field:
//
//	b = qpack.AppendPrefix(b)
//	b = qpack.AppendField(b, ":status", "200")
//	b = qpack.AppendField(b, "content-type", "text/plain")
//
// and read back into a reused slice:
//
//	var dec qpack.Decoder
//	fields, err = dec.AppendFields(fields[:0], section, 16<<10)
//
// What arrives on the peer's encoder and decoder streams goes through
// CheckEncoderStream and DecoderStream.
package qpack

// Field is one field line: a header, a trailer or a pseudo-header field such as
// ":path". Names are in lower case on the wire; neither end of this package
// changes or checks the case.
type Field struct {
	Name, Value string
}

// FieldOverhead is what each field line adds to the size of a field section
// beyond the lengths of its name and value, in bytes (RFC 9114, Section 4.2.2).
const FieldOverhead = 32

// Size is the field's contribution to the size of its section in bytes, as
// SETTINGS_MAX_FIELD_SECTION_SIZE counts it (RFC 9114, Section 4.2.2).
func (f Field) Size() int { return len(f.Name) + len(f.Value) + FieldOverhead }
