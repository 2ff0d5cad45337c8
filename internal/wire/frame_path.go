package wire

// NewConnectionIDFrame is a NEW_CONNECTION_ID frame (RFC 9000, Section 19.15).
type NewConnectionIDFrame struct {
	Seq           uint64 // number of the ID among its issuer's
	RetirePriorTo uint64 // IDs numbered below this are to be retired
	ID            ConnectionID
	Token         ResetToken
}

// ConsumeNewConnectionID reads a NEW_CONNECTION_ID frame. An ID that does not
// have 1 to 20 bytes, and a RetirePriorTo over Seq, make it invalid.
func ConsumeNewConnectionID(b []byte, f *NewConnectionIDFrame) int {
	r := reader{b: b}
	f.Seq = r.varint()
	f.RetirePriorTo = r.varint()
	r.check(f.RetirePriorTo <= f.Seq)
	var ok bool
	f.ID, ok = NewConnectionID(r.shortBytes())
	r.check(ok && f.ID.Len() > 0)
	copy(f.Token[:], r.bytes(uint64(len(f.Token))))
	return r.off
}

// AppendNewConnectionID appends f.
func AppendNewConnectionID(b []byte, f *NewConnectionIDFrame) []byte {
	b = append(b, byte(FrameNewConnectionID))
	b = AppendVarint(b, f.Seq)
	b = AppendVarint(b, f.RetirePriorTo)
	b = append(b, f.ID.len)
	b = append(b, f.ID.Bytes()...)
	return append(b, f.Token[:]...)
}

// ConsumeRetireConnectionID reads a RETIRE_CONNECTION_ID frame (RFC 9000,
// Section 19.16): the sequence number of the ID that its user gives up.
func ConsumeRetireConnectionID(b []byte, seq *uint64) int { return consumeInto(b, seq) }

// AppendRetireConnectionID appends a RETIRE_CONNECTION_ID frame.
func AppendRetireConnectionID(b []byte, seq uint64) []byte {
	return AppendVarint(append(b, byte(FrameRetireConnectionID)), seq)
}

// PathData is what a PATH_CHALLENGE carries and a PATH_RESPONSE repeats.
type PathData [8]byte

// ConsumePathChallenge reads a PATH_CHALLENGE frame (RFC 9000, Section 19.17).
func ConsumePathChallenge(b []byte, data *PathData) int {
	if len(b) < len(data) {
		return -1
	}
	return copy(data[:], b)
}

// AppendPathChallenge appends a PATH_CHALLENGE frame.
func AppendPathChallenge(b []byte, data PathData) []byte {
	return append(append(b, byte(FramePathChallenge)), data[:]...)
}

// ConsumePathResponse reads a PATH_RESPONSE frame (RFC 9000, Section 19.18).
func ConsumePathResponse(b []byte, data *PathData) int { return ConsumePathChallenge(b, data) }

// AppendPathResponse appends a PATH_RESPONSE frame.
func AppendPathResponse(b []byte, data PathData) []byte {
	return append(append(b, byte(FramePathResponse)), data[:]...)
}
