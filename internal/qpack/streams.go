package qpack

// CheckEncoderStream checks bytes of the peer's encoder stream. The only
// instruction that is harmless while this end's table has a capacity of 0 is
// Set Dynamic Table Capacity to 0, a single byte (RFC 9204, Section 4.3.1);
// anything else is an EncoderStreamError.
func CheckEncoderStream(b []byte) error {
	const setCapacityZero = 0b0010_0000
	for _, c := range b {
		if c != setCapacityZero {
			return errCapacity
		}
	}
	return nil
}

// DecoderStream checks the peer's decoder stream, whose bytes arrive in pieces
// of any size. The zero value is at the stream's beginning.
//
// This end's encoder never refers to the dynamic table; so there is nothing to
// acknowledge, and only Stream Cancellation, which a decoder sends for any
// stream it stops reading, is legitimate (RFC 9204, Section 4.4).
type DecoderStream struct {
	id    uint64 // of the stream being cancelled, while pending
	group int    // continuation bytes seen
	more  bool   // inside an integer
}

// Feed checks the next bytes; an error is a DecoderStreamError.
func (s *DecoderStream) Feed(b []byte) error {
	for _, c := range b {
		if !s.more {
			if err := s.begin(c); err != nil {
				return err
			}
			continue
		}
		var err error
		if s.id, err = addGroup(s.id, s.group, c); err != nil {
			return errStreamInteger
		}
		s.group++
		s.more = c >= 0x80
	}
	return nil
}

// begin reads the first byte of an instruction.
func (s *DecoderStream) begin(c byte) error {
	const prefix = 0b0011_1111
	switch {
	case c&0b1000_0000 != 0:
		return errAckOfNothing
	case c&0b0100_0000 == 0:
		return errIncrement
	}
	*s = DecoderStream{id: uint64(c & prefix), more: c&prefix == prefix}
	return nil
}
