package wire

// Stream is a STREAM frame (RFC 9000, Section 19.8).
type Stream struct {
	ID     StreamID
	Offset uint64 // of Data in the stream
	Data   []byte // aliases the packet
	Fin    bool   // the stream ends after Data
}

// ConsumeStream reads a STREAM frame whose type is t. Data that would go
// beyond MaxVarint makes it invalid.
func ConsumeStream(t FrameType, b []byte, f *Stream) int {
	r := reader{b: b}
	f.ID = StreamID(r.varint())
	f.Offset = 0
	if t&StreamOff != 0 {
		f.Offset = r.varint()
	}
	if t&StreamLen != 0 {
		f.Data = r.bytes(r.varint())
	} else {
		f.Data = r.rest()
	}
	f.Fin = t&StreamFin != 0
	r.check(f.Offset+uint64(len(f.Data)) <= MaxVarint)
	return r.off
}

// AppendStream appends f with an explicit length.
func AppendStream(b []byte, f Stream) []byte {
	b = AppendStreamHeader(b, f.ID, f.Offset, len(f.Data), true, f.Fin)
	return append(b, f.Data...)
}

// AppendStreamHeader appends everything of a STREAM frame but its data, of
// which the caller appends length bytes. Without explicitLen the data must
// fill the packet to its end.
func AppendStreamHeader(b []byte, id StreamID, off uint64, length int, explicitLen, fin bool) []byte {
	t := FrameStream
	if off > 0 {
		t |= StreamOff
	}
	if explicitLen {
		t |= StreamLen
	}
	if fin {
		t |= StreamFin
	}
	b = append(b, byte(t))
	b = AppendVarint(b, uint64(id))
	if off > 0 {
		b = AppendVarint(b, off)
	}
	if explicitLen {
		b = AppendVarint(b, uint64(length))
	}
	return b
}

// SizeStreamHeader returns the number of bytes that AppendStreamHeader appends
// when the length is explicit.
func SizeStreamHeader(id StreamID, off uint64, length int) int {
	n := 1 + SizeVarint(uint64(id)) + SizeVarint(uint64(length))
	if off > 0 {
		n += SizeVarint(off)
	}
	return n
}

// ResetStream is a RESET_STREAM frame (RFC 9000, Section 19.4).
type ResetStream struct {
	ID        StreamID
	Code      uint64 // the application's error code
	FinalSize uint64 // bytes sent on the stream
}

// ConsumeResetStream reads a RESET_STREAM frame.
func ConsumeResetStream(b []byte, f *ResetStream) int {
	r := reader{b: b}
	f.ID = StreamID(r.varint())
	f.Code = r.varint()
	f.FinalSize = r.varint()
	return r.off
}

// AppendResetStream appends f.
func AppendResetStream(b []byte, f ResetStream) []byte {
	b = append(b, byte(FrameResetStream))
	b = AppendVarint(b, uint64(f.ID))
	b = AppendVarint(b, f.Code)
	return AppendVarint(b, f.FinalSize)
}

// ResetStreamAt is a RESET_STREAM_AT frame: a reset that leaves the beginning
// of the stream reliable (draft-ietf-quic-reliable-stream-reset, Section 4).
type ResetStreamAt struct {
	ResetStream
	ReliableSize uint64 // bytes to be delivered nevertheless, at most FinalSize
}

// ConsumeResetStreamAt reads a RESET_STREAM_AT frame. A ReliableSize over
// FinalSize makes it invalid.
func ConsumeResetStreamAt(b []byte, f *ResetStreamAt) int {
	r := reader{b: b}
	f.ID = StreamID(r.varint())
	f.Code = r.varint()
	f.FinalSize = r.varint()
	f.ReliableSize = r.varint()
	r.check(f.ReliableSize <= f.FinalSize)
	return r.off
}

// AppendResetStreamAt appends f.
func AppendResetStreamAt(b []byte, f ResetStreamAt) []byte {
	b = append(b, byte(FrameResetStreamAt))
	b = AppendVarint(b, uint64(f.ID))
	b = AppendVarint(b, f.Code)
	b = AppendVarint(b, f.FinalSize)
	return AppendVarint(b, f.ReliableSize)
}

// StopSending is a STOP_SENDING frame (RFC 9000, Section 19.5).
type StopSending struct {
	ID   StreamID
	Code uint64 // the application's error code
}

// ConsumeStopSending reads a STOP_SENDING frame.
func ConsumeStopSending(b []byte, f *StopSending) int {
	r := reader{b: b}
	f.ID = StreamID(r.varint())
	f.Code = r.varint()
	return r.off
}

// AppendStopSending appends f.
func AppendStopSending(b []byte, f StopSending) []byte {
	b = append(b, byte(FrameStopSending))
	b = AppendVarint(b, uint64(f.ID))
	return AppendVarint(b, f.Code)
}
