package qpack

// HandleDecoderStream takes the next bytes of the peer's decoder stream, in
// pieces of any size. An error is an *Error.
func (t *EncoderTable) HandleDecoderStream(b []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range b {
		complete, err := t.instruction.add(c)
		if err != nil {
			return err
		}
		if !complete {
			continue
		}
		if err := t.handleInstruction(t.instruction.first, t.instruction.value); err != nil {
			return err
		}
	}
	return nil
}

// handleInstruction acts on a decoder instruction (RFC 9204, Section 4.4). The
// lock is held.
func (t *EncoderTable) handleInstruction(first byte, value uint64) error {
	switch {
	case first&sectionAcknowledgment != 0:
		return t.acknowledgeSection(value)
	case first&streamCancellation != 0:
		t.cancelStream(value)
		return nil
	}
	if value == 0 || value > t.table.inserted-t.known {
		return errIncrement
	}
	t.setKnown(t.known + value)
	return nil
}

// decoderInstruction is a decoder instruction whose bytes arrive one by one: all
// of them are a few bits and an integer. The zero value is between two of them.
type decoderInstruction struct {
	first  byte
	value  uint64
	group  int  // continuation bytes seen
	inside bool // more of them follow
}

// add takes the next byte and reports whether it completes the instruction.
func (d *decoderInstruction) add(c byte) (complete bool, err error) {
	if !d.inside {
		limit := byte(0b0011_1111)
		if c&sectionAcknowledgment != 0 {
			limit = 0b0111_1111
		}
		*d = decoderInstruction{first: c, value: uint64(c & limit), inside: c&limit == limit}
		return !d.inside, nil
	}
	if d.value, err = addGroup(d.value, d.group, c); err != nil {
		return false, errStreamInteger
	}
	d.group++
	d.inside = c >= 0x80
	return !d.inside, nil
}
