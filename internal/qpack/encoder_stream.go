package qpack

import "sync"

// First bytes of the encoder instructions of RFC 9204, Section 4.3.
const (
	insertStaticName  = 0b1100_0000 // 6-bit index
	insertDynamicName = 0b1000_0000 // 6-bit index, relative
	insertLiteralName = 0b0100_0000 // 5-bit length, below its Huffman bit
	setCapacity       = 0b0010_0000 // 5-bit capacity
	duplicate         = 0b0000_0000 // 5-bit index, relative

	insertNameCoded = 0b0010_0000 // the Huffman bit of a literal name
)

// decoders are there for the strings in encoder instructions. What one peer's
// browser inserts, another's does as well; so they are shared.
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// HandleEncoderStream takes the next bytes of the peer's encoder stream, in
// pieces of any size, and calls the Waiters of sections that were parked for
// what they insert. An error is an *Error.
func (t *DecoderTable) HandleEncoderStream(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	d := decoders.Get().(*Decoder)
	defer decoders.Put(d)
	t.lock()
	before := t.table.inserted
	err := t.readInstructions(d, b)
	if t.table.inserted > before {
		t.due.Or(dueSome | dueNow) // the peer learns it from an increment, or an acknowledgment
	}
	var unblocked []Waiter
	if len(t.parked) > 0 && t.table.inserted >= t.unblocks && err == nil {
		unblocked = t.takeUnblocked(nil)
	}
	t.mu.Unlock()
	for _, w := range unblocked {
		w.HandleUnblocked()
	}
	return err
}

// readInstructions follows the instructions in b and keeps an incomplete one for
// the next time. That is bounded, as its strings are found to be too large for
// the table as soon as their lengths are there. The lock is held.
func (t *DecoderTable) readInstructions(d *Decoder, b []byte) error {
	if len(t.partial) > 0 {
		t.partial = append(t.partial, b...)
		b = t.partial
	}
	for len(b) > 0 {
		rest, err := t.readInstruction(d, b)
		if err == errTruncated {
			if len(b) != len(t.partial) { // otherwise it is there, and each byte would copy all
				t.partial = append(t.partial[:0], b...)
			}
			return nil
		}
		if err != nil {
			return err
		}
		b = rest
	}
	t.partial = nil
	return nil
}

// readInstruction follows one instruction. The error errTruncated asks for more
// bytes; nothing has changed then.
func (t *DecoderTable) readInstruction(d *Decoder, b []byte) (rest []byte, err error) {
	switch first := b[0]; {
	case first&insertStaticName == insertStaticName:
		return t.readInsert(d, b, true)
	case first&insertDynamicName != 0:
		return t.readInsert(d, b, false)
	case first&insertLiteralName != 0:
		return t.readInsertLiteral(d, b)
	case first&setCapacity != 0:
		return t.readCapacity(b)
	default:
		return t.readDuplicate(b)
	}
}

// readCapacity follows a Set Dynamic Table Capacity (RFC 9204, Section 4.3.1).
func (t *DecoderTable) readCapacity(b []byte) ([]byte, error) {
	capacity, rest, err := consumeInteger(b, 5)
	if err != nil {
		return nil, instructionError(err)
	}
	if capacity > t.maxCapacity {
		return nil, errCapacity
	}
	t.table.setCapacity(capacity)
	return rest, nil
}

// readDuplicate follows a Duplicate (RFC 9204, Section 4.3.4).
func (t *DecoderTable) readDuplicate(b []byte) ([]byte, error) {
	index, rest, err := consumeInteger(b, 5)
	if err != nil {
		return nil, instructionError(err)
	}
	f, err := t.relative(index)
	if err != nil {
		return nil, err
	}
	t.add(f)
	return rest, nil
}

// relative returns an entry by its index relative to the insertion point
// (RFC 9204, Section 3.2.5).
func (t *DecoderTable) relative(index uint64) (Field, error) {
	if index >= t.table.inserted-t.table.dropped {
		return Field{}, errInsertReference
	}
	return *t.table.at(t.table.inserted - 1 - index), nil
}

// readInsert follows an Insert with Name Reference (RFC 9204, Section 4.3.2).
func (t *DecoderTable) readInsert(d *Decoder, b []byte, isStatic bool) (rest []byte, err error) {
	index, b, err := consumeInteger(b, 6)
	if err != nil {
		return nil, instructionError(err)
	}
	var f Field
	if !isStatic {
		f, err = t.relative(index)
	} else if index < uint64(len(staticTable)) {
		f = staticTable[index]
	} else {
		err = errInsertStatic
	}
	if err != nil {
		return nil, err
	}
	value, rest, err := t.consumeLiteral(b, literalValueCoded, 7, uint64(len(f.Name)))
	if err != nil {
		return nil, err
	}
	return rest, t.addDecoded(d, f.Name, value)
}

// readInsertLiteral follows an Insert with Literal Name (RFC 9204, Section
// 4.3.3). Nothing is decoded before all of it is there.
func (t *DecoderTable) readInsertLiteral(d *Decoder, b []byte) (rest []byte, err error) {
	rawName, b, err := t.consumeLiteral(b, insertNameCoded, 5, 0)
	if err != nil {
		return nil, err
	}
	value, rest, err := t.consumeLiteral(b, literalValueCoded, 7, rawName.minSize())
	if err != nil {
		return nil, err
	}
	name, err := d.decodeString(rawName.bytes, rawName.isCoded, int(t.table.capacity))
	if err != nil {
		return nil, instructionError(err)
	}
	return rest, t.addDecoded(d, name, value)
}

// wholeLiteral is a string literal with its bytes, not yet decoded.
type wholeLiteral struct {
	literal
	bytes []byte
}

// consumeLiteral reads a string literal, for an entry of which used bytes are
// known already.
func (t *DecoderTable) consumeLiteral(b []byte, coded byte, n uint, used uint64) (w wholeLiteral, rest []byte, err error) {
	if w.literal, b, err = consumeLiteral(b, coded, n); err != nil {
		return w, nil, instructionError(err)
	}
	if used+w.minSize()+FieldOverhead > t.table.capacity {
		return w, nil, errEntryTooLarge
	}
	if w.length > uint64(len(b)) {
		return w, nil, errTruncated
	}
	w.bytes = b[:w.length]
	return w, b[w.length:], nil
}

// addDecoded adds an entry whose value is yet to be decoded.
func (t *DecoderTable) addDecoded(d *Decoder, name string, value wholeLiteral) error {
	room := int(t.table.capacity) - FieldOverhead - len(name)
	if room < 0 {
		return errEntryTooLarge
	}
	s, err := d.decodeString(value.bytes, value.isCoded, room)
	if err != nil {
		return instructionError(err)
	}
	t.add(Field{name, s})
	return nil
}

// add adds an entry that is not larger than the table.
func (t *DecoderTable) add(f Field) {
	t.table.evict(uint64(f.Size()))
	t.table.insert(f)
}

// instructionError returns the error that reading an integer or a string is in
// an encoder instruction, rather than in a field section.
func instructionError(err error) error {
	switch err {
	case errInteger:
		return errInsertInteger
	case errHuffman:
		return errInsertHuffman
	case ErrSectionTooLarge:
		return errEntryTooLarge
	}
	return err
}
