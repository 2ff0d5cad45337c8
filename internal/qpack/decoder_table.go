package qpack

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// DecoderTable is the dynamic table of a connection that the peer's encoder
// fills, and all that goes with it: it follows the peer's encoder stream,
// decodes field sections, keeps account of those that have to wait, and has the
// instructions for this end's decoder stream. Any goroutine may use it.
//
// It takes next to no memory until the peer uses it.
type DecoderTable struct {
	maxCapacity uint64 // what this end's SETTINGS allow, in bytes
	maxBlocked  int    // likewise, in streams

	due atomic.Uint32 // dueSome, dueNow: whether instructions are owed

	mu sync.Mutex
	*decoderState
}

// decoderState is what a DecoderTable's lock guards.
type decoderState struct {
	table        dynamicTable
	partial      []byte // the beginning of an encoder instruction
	parked       []parkedSection
	parkedBytes  int    // sum of their sizes
	unblocks     uint64 // no Insert Count below ends the wait of any
	steps        uint64 // that looking through parked has taken, for tests to count
	acknowledged uint64 // the Known Received Count: insertions the peer was told of
	owed         []byte // decoder instructions for the peer
}

// NewDecoderTable returns the table of a new connection. maxCapacity and
// maxBlocked are what this end's SETTINGS_QPACK_MAX_TABLE_CAPACITY (in bytes) and
// SETTINGS_QPACK_BLOCKED_STREAMS say.
func NewDecoderTable(maxCapacity uint64, maxBlocked int) *DecoderTable {
	return &DecoderTable{maxCapacity: maxCapacity, maxBlocked: maxBlocked}
}

// lock takes the lock, and makes what it guards if there is nothing yet.
func (t *DecoderTable) lock() {
	t.mu.Lock()
	if t.decoderState == nil {
		t.decoderState = new(decoderState)
	}
}

// ReadStream is what a DecoderTable has to know of one request stream. It is
// guarded by the table's lock once it has been used.
type ReadStream struct {
	// ID is the stream's.
	ID uint64

	abandoned bool
	parked    int32 // where in DecoderTable.parked its section is, plus one
}

// The errors of DecoderTable.AppendFields that say nothing about the peer.
var (
	// ErrBlocked says that a field section needs insertions that have not
	// arrived.
	ErrBlocked = errors.New("qpack: field section waits for insertions")
	// ErrAbandoned says that the stream was given up before.
	ErrAbandoned = errors.New("qpack: stream is not read any more")
	// ErrBlockedTooLarge says that field sections that wait take more memory
	// than this end grants them.
	ErrBlockedTooLarge = errors.New("qpack: blocked field sections are too large")
)

// AppendFields appends the fields of an encoded section, which arrived on s, to
// dst, as Decoder.AppendFields does. It returns ErrBlocked when the section needs
// insertions that have not arrived: Park waits for them.
//
// With any other error the stream is to be abandoned, or the connection closed.
func (t *DecoderTable) AppendFields(d *Decoder, s *ReadStream, dst []Field, section []byte, maxSize int) ([]Field, error) {
	p, b, err := consumePrefix(section)
	if err != nil {
		return dst, err
	}
	if p.encodedInsertCount == 0 {
		if _, _, err = p.resolve(0, 0); err != nil {
			return dst, err
		}
		return d.appendFields(dst, b, &references{}, maxSize)
	}
	t.lock()
	defer t.mu.Unlock()
	if s.abandoned {
		return dst, ErrAbandoned
	}
	refs := references{table: &t.table}
	refs.required, refs.base, err = t.resolve(&p)
	if err != nil {
		return dst, err
	}
	if refs.required > t.table.inserted {
		return dst, ErrBlocked
	}
	count := len(dst)
	dst, err = d.appendFields(dst, b, &refs, min(maxSize, lockedSize))
	if err == ErrSectionTooLarge && maxSize > lockedSize {
		dst, err = t.appendUnlocked(d, dst[:count], b, refs, maxSize)
		if s.abandoned {
			return dst, ErrAbandoned
		}
	}
	if err == nil {
		t.acknowledge(s.ID, refs.required)
	}
	return dst, err
}

// lockedSize is how large the fields of a section may be, decoded, that are read
// with the lock held, in bytes. Larger ones are rare, and a few references of one
// byte make them: what the connection's event loop wants of the table must not wait
// for as long as they take.
const lockedSize = 16 << 10

// appendUnlocked decodes a section with a copy of the table. The lock is held before
// and afterwards, and not in between.
func (t *DecoderTable) appendUnlocked(d *Decoder, dst []Field, b []byte, refs references, maxSize int) ([]Field, error) {
	copied := t.table
	copied.ring = slices.Clone(copied.ring)
	refs.table = &copied
	t.mu.Unlock()
	defer t.mu.Lock()
	return d.appendFields(dst, b, &refs, maxSize)
}

// resolve is for those who hold the lock.
func (t *DecoderTable) resolve(p *prefix) (required, base uint64, err error) {
	return p.resolve(t.table.inserted, t.maxCapacity/FieldOverhead)
}

// Abandon takes note that a stream is not read to its end, because it was reset
// or its rest is not wanted (RFC 9204, Section 2.2.2.2). It must be called for
// each such stream; further calls do nothing. If a section of the stream is
// parked, its Waiter is called.
func (t *DecoderTable) Abandon(s *ReadStream) {
	w := t.abandon(s)
	if w != nil {
		w.HandleUnblocked()
	}
}

func (t *DecoderTable) abandon(s *ReadStream) Waiter {
	t.lock()
	defer t.mu.Unlock()
	if s.abandoned || t.maxCapacity == 0 {
		return nil
	}
	s.abandoned = true
	t.owe(streamCancellation, 6, s.ID)
	return t.unpark(s)
}
