package qpack

// tableIndex finds the entries of an encoder's dynamic table. The zero value is
// that of an empty table.
type tableIndex struct {
	ring []indexEntry // parallel to the table's
	// byField and byName are the newest entries of each bucket of hashes, as
	// their absolute indexes plus one. An entry that was evicted ends its
	// bucket's chain: what is behind it is older. Nil in an empty table.
	buckets *[2 * indexBuckets]uint64
	steps   uint64 // along chains, for tests to count
}

// indexBuckets is the number of chains, a power of two: of the sixty entries of
// 70 bytes that fit into a table of 4096 bytes, two share a chain.
const indexBuckets = 32

// indexEntry is what an encoder keeps of an entry besides its field.
type indexEntry struct {
	nameHash, fieldHash uint32
	// olderName and olderField continue the chains, as buckets begins them.
	olderName, olderField uint64
	pins                  uint16 // sections not acknowledged that refer to it first
	needs                 uint16 // those that refer to it last, while it is not known to have arrived
	uses                  uint8  // since it was inserted, 0 to maxUses
}

// at returns the entry with an absolute index.
func (x *tableIndex) at(index uint64) *indexEntry {
	return &x.ring[index&uint64(len(x.ring)-1)]
}

// add takes note of the entry that has just been added to the table.
func (x *tableIndex) add(t *dynamicTable, index uint64, ofName, ofField uint32) {
	if x.buckets == nil {
		x.buckets = new([2 * indexBuckets]uint64)
	}
	for len(x.ring) < len(t.ring) {
		x.ring = regrow(x.ring, t.dropped, index)
	}
	names, fields := x.bucketsOf(ofName, ofField)
	*x.at(index) = indexEntry{nameHash: ofName, fieldHash: ofField, olderName: *names, olderField: *fields}
	*names, *fields = index+1, index+1
}

func (x *tableIndex) bucketsOf(ofName, ofField uint32) (names, fields *uint64) {
	return &x.buckets[ofName%indexBuckets], &x.buckets[indexBuckets+ofField%indexBuckets]
}

// findField returns the newest entry with this name and value.
func (x *tableIndex) findField(t *dynamicTable, f *Field, ofField uint32) (index uint64, ok bool) {
	if x.buckets == nil {
		return 0, false
	}
	for next := x.buckets[indexBuckets+ofField%indexBuckets]; next > t.dropped; x.steps++ {
		e := x.at(next - 1)
		if e.fieldHash == ofField {
			if found := t.at(next - 1); *found == *f {
				return next - 1, true
			}
		}
		next = e.olderField
	}
	return 0, false
}

// findName returns the newest entry with this name.
func (x *tableIndex) findName(t *dynamicTable, name string, ofName uint32) (index uint64, ok bool) {
	if x.buckets == nil {
		return 0, false
	}
	for next := x.buckets[ofName%indexBuckets]; next > t.dropped; x.steps++ {
		e := x.at(next - 1)
		if e.nameHash == ofName && t.at(next-1).Name == name {
			return next - 1, true
		}
		next = e.olderName
	}
	return 0, false
}
