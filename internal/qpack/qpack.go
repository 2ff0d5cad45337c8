// Package qpack compresses the header and trailer fields of HTTP/3 (RFC 9204),
// with the static table, dynamic tables in both directions, and Huffman coding.
// It does no I/O: what is to be sent on the encoder and the decoder stream is
// given to the caller, and what arrives there is given to it.
//
// A connection has an EncoderTable for the sections it sends and a DecoderTable
// for those it receives. A section is encoded from its fields, after which
// instructions may be due, which should leave first:
//
//	var enc qpack.EncoderTable
//	enc.Enable(peerMaxTableCapacity, peerBlockedStreams) // from the peer's SETTINGS
//	section, due := enc.AppendSection(nil, streamID, fields)
//	if due {
//		encoderStream = enc.AppendInstructions(encoderStream)
//	}
//	err := enc.HandleDecoderStream(b) // b arrived on the peer's decoder stream
//
// and decoded with what has arrived on the encoder stream. If that is not enough
// yet, the section can be parked until it is:
//
//	dec := qpack.NewDecoderTable(maxTableCapacity, blockedStreams)
//	err := dec.HandleEncoderStream(b) // b arrived on the peer's encoder stream
//	fields, err := dec.AppendFields(&decoder, &stream, nil, section, 16<<10)
//	if err == qpack.ErrBlocked {
//		parked, err := dec.Park(&stream, section, waiter) // whom it tells when
//	}
//	decoderStream = dec.AppendInstructions(decoderStream)
//
// Sections that need no table, as those of short answers, can be written field by
// field with AppendPrefix and AppendField.
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
