package qpack

// dynamicTable is a dynamic table (RFC 9204, Section 3.2) as the two ends keep
// it: entries by absolute index, first in, first out. The zero value is the
// table of capacity 0.
type dynamicTable struct {
	capacity uint64 // bytes, as Field.Size counts them
	size     uint64 // of the entries, 0 to capacity
	inserted uint64 // the Insert Count: the absolute index of the next entry
	dropped  uint64 // the absolute index of the oldest entry
	// ring holds the entry with absolute index i at i modulo its length, a
	// power of two. It grows with the entries, of which capacity/32 fit.
	ring []Field
}

// minRing is the length of the first ring.
const minRing = 8

// at returns the entry with an absolute index. It must be in the table.
func (t *dynamicTable) at(index uint64) *Field {
	return &t.ring[index&uint64(len(t.ring)-1)]
}

// has reports whether the entry with an absolute index is in the table.
func (t *dynamicTable) has(index uint64) bool {
	return t.dropped <= index && index < t.inserted
}

// insert adds an entry. It must fit: evict makes room.
func (t *dynamicTable) insert(f Field) {
	if count := t.inserted - t.dropped; count == uint64(len(t.ring)) {
		t.ring = regrow(t.ring, t.dropped, t.inserted)
	}
	t.inserted++
	*t.at(t.inserted - 1) = f
	t.size += uint64(f.Size())
}

// regrow returns a ring of twice the length with the same entries [from, to).
func regrow[T any](ring []T, from, to uint64) []T {
	larger := make([]T, max(minRing, 2*len(ring)))
	for i := from; i < to; i++ {
		larger[i&uint64(len(larger)-1)] = ring[i&uint64(len(ring)-1)]
	}
	return larger
}

// evictOldest drops the oldest entry. There must be one.
func (t *dynamicTable) evictOldest() {
	oldest := t.at(t.dropped)
	t.size -= uint64(oldest.Size())
	*oldest = Field{} // its strings may be all that is left of a message
	t.dropped++
}

// evict drops the oldest entries until an entry of size bytes fits, which must
// not be more than the capacity.
func (t *dynamicTable) evict(size uint64) {
	for t.size > t.capacity-size {
		t.evictOldest()
	}
}

// setCapacity changes the capacity and drops what exceeds it (RFC 9204, Section
// 3.2.2).
func (t *dynamicTable) setCapacity(capacity uint64) {
	t.capacity = capacity
	t.evict(0)
	if capacity == 0 {
		t.ring = nil
	}
}
