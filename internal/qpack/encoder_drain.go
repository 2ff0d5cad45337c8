package qpack

// drain keeps a busy connection from holding on to its first entries for ever.
// With always some section under way that refers to the oldest entry, nothing
// can be evicted and so nothing inserted. Then the oldest entries are no longer
// referred to until they can be evicted (RFC 9204, Section 2.1.1.1).
//
// That costs bytes, for as long as the sections under way need to be
// acknowledged; so it happens only once not inserting has cost more.
type drain struct {
	index  uint64 // entries below are not to be referred to
	regret uint64 // bytes that refused insertions would have saved
}

// drainPatience is how many times what draining costs must have been lost before
// it begins.
const drainPatience = 4

// regretRefusal takes note that a field which occurs repeatedly could not be
// inserted, for want of size bytes.
func (t *EncoderTable) regretRefusal(size uint64) {
	if t.drain.index > t.table.dropped {
		return // draining already
	}
	t.drain.regret += size - FieldOverhead
	// While it drains, the oldest entry is written out in about as many
	// sections as are under way now.
	literal := uint64(t.table.at(t.table.dropped).Size() - FieldOverhead)
	if t.drain.regret <= drainPatience*literal*uint64(len(t.sent)+1) {
		return
	}
	t.drain.regret = 0
	room := t.table.capacity - t.table.size
	i := t.table.dropped
	for ; room < size && i < t.known; i++ {
		room += uint64(t.table.at(i).Size())
	}
	t.drain.index = i
}

// leaveDraining returns the entry to refer to instead of one that is in use: if
// that is to be evicted soon, a duplicate, once there is room for it.
func (t *EncoderTable) leaveDraining(p *plan, index uint64) uint64 {
	if index >= t.drain.index || !p.mayRisk {
		return index
	}
	room := t.table.capacity - t.table.size
	size := uint64(t.table.at(index).Size())
	for i := t.table.dropped; room < size; i++ {
		if !t.evictable(p, i) {
			return index
		}
		room += uint64(t.table.at(i).Size())
	}
	f, e := t.appendDuplicate(index)
	t.table.evict(size)
	return t.insertAgain(f, e, e.uses)
}
