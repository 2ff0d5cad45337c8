package qpack

import "strings"

const (
	// maxUses is up to which number the uses of an entry count. Each of them
	// saves it once when it would be evicted.
	maxUses = 3
	// maxRefreshes bounds how many entries are saved for one insertion: each
	// costs an instruction of a byte or two.
	maxRefreshes = 12
)

// insertField inserts a field, if there is room for it. again says that it has
// occurred before.
func (t *EncoderTable) insertField(p *plan, f *Field, static int, ofName, ofField uint32, again bool) (index uint64, ok bool) {
	size := uint64(f.Size())
	if size > t.table.capacity/4*3 {
		return 0, false // hardly anything else would fit
	}
	if !t.makeRoom(p, size) {
		if again && !t.evictable(p, t.table.dropped) {
			t.regretRefusal(size)
		}
		return 0, false
	}
	entry := Field{strings.Clone(f.Name), strings.Clone(f.Value)} // not to retain what they are part of
	if static >= 0 {
		entry.Name = staticTable[static].Name
	}
	t.appendInsert(f, static, ofName)
	return t.insert(entry, ofName, ofField), true
}

// makeRoom evicts the oldest entries until one of size bytes fits. Those that
// were used since they were inserted are duplicated, and so become the newest
// ones: the table keeps what is used and not what is new.
//
// An entry may be evicted only when the peer is known to have received it and
// no section that it may not have decoded refers to it (RFC 9204, Section
// 2.1.1). When one stands in the way, those before it are gone nevertheless.
func (t *EncoderTable) makeRoom(p *plan, size uint64) bool {
	for refreshes := 0; t.table.capacity-t.table.size < size; {
		oldest := t.table.dropped
		if !t.evictable(p, oldest) {
			return false
		}
		uses := t.index.at(oldest).uses
		if uses == 0 {
			t.table.evictOldest()
			continue
		}
		if refreshes++; refreshes > maxRefreshes || !p.mayRisk {
			return false
		}
		f, e := t.appendDuplicate(oldest)
		t.table.evictOldest()
		t.insertAgain(f, e, uses-1)
	}
	return true
}

// evictable reports whether the oldest entry may be evicted.
func (t *EncoderTable) evictable(p *plan, oldest uint64) bool {
	return oldest < t.known && oldest < p.oldest && t.index.at(oldest).pins == 0
}

// appendDuplicate appends the instruction that adds an entry once more (RFC 9204,
// Section 4.3.4), and returns what insertAgain needs, once there is room.
func (t *EncoderTable) appendDuplicate(index uint64) (Field, indexEntry) {
	t.out = appendInteger(t.out, duplicate, 5, t.table.inserted-1-index)
	return *t.table.at(index), *t.index.at(index)
}

// insertAgain adds an entry once more, with a number of uses.
func (t *EncoderTable) insertAgain(f Field, e indexEntry, uses uint8) (index uint64) {
	index = t.insert(f, e.nameHash, e.fieldHash)
	t.index.at(index).uses = uses
	return index
}

// insert adds an entry for which there is room, after its instruction.
func (t *EncoderTable) insert(f Field, ofName, ofField uint32) (index uint64) {
	t.table.insert(f)
	index = t.table.inserted - 1
	t.index.add(&t.table, index, ofName, ofField)
	return index
}

// appendInsert appends the instruction that inserts a field (RFC 9204, Sections
// 4.3.2 and 4.3.3), and before the first one what sets the table's capacity.
func (t *EncoderTable) appendInsert(f *Field, static int, ofName uint32) {
	if t.table.inserted == 0 {
		t.out = appendInteger(t.out, setCapacity, 5, t.table.capacity)
	}
	if static >= 0 {
		t.out = appendInteger(t.out, insertStaticName, 6, uint64(static))
	} else if index, ok := t.index.findName(&t.table, f.Name, ofName); ok {
		t.out = appendInteger(t.out, insertDynamicName, 6, t.table.inserted-1-index)
	} else {
		t.out = appendString(t.out, insertLiteralName, insertNameCoded, 5, f.Name)
	}
	t.out = appendString(t.out, 0, literalValueCoded, 7, f.Value)
}
