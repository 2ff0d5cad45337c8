package qpack

// First bytes of the decoder instructions of RFC 9204, Section 4.4.
const (
	sectionAcknowledgment = 0b1000_0000 // 7-bit stream ID
	streamCancellation    = 0b0100_0000 // 6-bit stream ID
	insertCountIncrement  = 0b0000_0000 // 6-bit increment
)

// flushOwed is how many bytes of decoder instructions may wait for company:
// about ten acknowledgments.
const flushOwed = 24

// The bits of DecoderTable.due.
const (
	dueSome = 1 << iota // there are instructions
	dueNow              // they should leave at once
)

// Owed says whether there are instructions for the decoder stream, and whether
// they should leave at once: when the peer's encoder may be waiting for them, or
// many have gathered. Others had better leave with the next message, as they
// are not worth a packet of their own.
func (t *DecoderTable) Owed() (some, urgent bool) {
	due := t.due.Load()
	return due != 0, due&dueNow != 0
}

// owe adds an instruction for the peer. The lock is held.
func (t *DecoderTable) owe(first byte, n uint, streamID uint64) {
	t.owed = appendInteger(t.owed, first, n, streamID)
	due := uint32(dueSome)
	if len(t.owed) >= flushOwed {
		due |= dueNow
	}
	t.due.Or(due)
}

// acknowledge notes that a section was decoded. The lock is held.
func (t *DecoderTable) acknowledge(streamID, required uint64) {
	t.owe(sectionAcknowledgment, 7, streamID)
	t.acknowledged = max(t.acknowledged, required)
}

// AppendInstructions appends the instructions that are due on the decoder
// stream; they are the caller's from then on.
func (t *DecoderTable) AppendInstructions(b []byte) []byte {
	t.lock()
	defer t.mu.Unlock()
	t.due.Store(0)
	b = append(b, t.owed...)
	t.owed = t.owed[:0]
	// After the acknowledgments, some of which imply an increment.
	if n := t.table.inserted - t.acknowledged; n > 0 {
		b = appendInteger(b, insertCountIncrement, 6, n)
		t.acknowledged = t.table.inserted
	}
	return b
}
