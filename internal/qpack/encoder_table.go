package qpack

import (
	"sync"
	"sync/atomic"
)

// MaxEncoderCapacity is the largest dynamic table this end's encoder fills, in
// bytes, whatever more the peer allows: the fields that repeat in the messages
// of one connection fit, and both ends keep a copy.
const MaxEncoderCapacity = 4096

// EncoderTable is the dynamic table of a connection that this end's encoder
// fills, and all that goes with it: it encodes field sections, remembers what
// they refer to until the peer has acknowledged them, follows the peer's decoder
// stream, and has the instructions for this end's encoder stream. Any goroutine
// may use it.
//
// The zero value uses the static table alone, until Enable is called. It takes
// next to no memory until something is inserted.
type EncoderTable struct {
	enabled    atomic.Bool
	maxEntries uint64 // in the largest table the peer allows; set before enabled
	maxBlocked int    // streams; likewise

	mu      sync.Mutex
	table   dynamicTable
	index   tableIndex
	advisor *advisor      // made with the first field that is not in the static table
	known   uint64        // the Known Received Count
	out     []byte        // encoder instructions for the peer
	sent    []sentSection // by stream, those of one in the order they were sent in
	atRisk  int           // of sent, how many may block their streams
	drain   drain

	sections uint64 // that were sent, less the cancellations of none of sent
	useless  int    // cancellations beyond
	steps    uint64 // that instructions and look-ups have taken, for tests to count

	instruction decoderInstruction // that arrives
}

// Enable makes the encoder use a dynamic table. The two numbers are those of the
// peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY, in bytes, and
// SETTINGS_QPACK_BLOCKED_STREAMS. It is to be called once, when there is an
// encoder stream for what AppendInstructions returns.
func (t *EncoderTable) Enable(maxCapacity, maxBlocked uint64) {
	if maxCapacity < FieldOverhead {
		return // not one entry
	}
	t.maxEntries = maxCapacity / FieldOverhead
	t.maxBlocked = int(min(maxBlocked, maxUnacknowledged))
	t.table.capacity = min(maxCapacity, MaxEncoderCapacity)
	t.enabled.Store(true)
}

// AppendInstructions appends the instructions that are due on the encoder
// stream; they are the caller's from then on. As nothing is evicted before it is
// acknowledged, those under way are never more than a full table.
func (t *EncoderTable) AppendInstructions(b []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b = append(b, t.out...)
	t.out = nil // insertions are rare
	return b
}
