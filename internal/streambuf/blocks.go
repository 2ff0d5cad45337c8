package streambuf

// blocks stores the bytes of a stream from some offset on, in blocks aligned
// to multiples of BlockSize. Blocks that no byte was written to are absent.
type blocks struct {
	list []*block  // list[head+i] holds block number base+i
	head int32     // list[:head] is freed already
	kept int32     // blocks that are there
	base uint64    // number of the first block kept: its offset / BlockSize
	one  [1]*block // the list's first array, as most streams need one block
}

// at returns the part of the block that holds offset off from off on, which must not
// be freed yet. It returns nil when there is no such block.
func (b *blocks) at(off uint64) []byte {
	i := int(b.head) + int(off/BlockSize-b.base)
	if i >= len(b.list) || b.list[i] == nil {
		return nil
	}
	return b.list[i][off%BlockSize:]
}

// grow is at with a block from the pool when there is none.
func (b *blocks) grow(off uint64, pool *Pool) []byte {
	i := int(b.head) + int(off/BlockSize-b.base)
	if i >= len(b.list) {
		if b.head > 0 && i >= cap(b.list) {
			n := copy(b.list, b.list[b.head:])
			clear(b.list[n:])
			i -= int(b.head)
			b.list, b.head = b.list[:n], 0
		}
		if b.list == nil {
			b.list = b.one[:0]
		}
		for i >= len(b.list) {
			b.list = append(b.list, nil)
		}
	}
	if b.list[i] == nil {
		b.list[i] = pool.get()
		b.kept++
	}
	return b.list[i][off%BlockSize:]
}

// free gives back every block that lies wholly below off.
func (b *blocks) free(off uint64, pool *Pool) {
	first := b.head
	for int(b.head) < len(b.list) && (b.base+1)*BlockSize <= off {
		b.head++
		b.base++
	}
	b.put(b.list[first:b.head], pool)
	if int(b.head) == len(b.list) {
		b.list, b.head, b.base = b.list[:0], 0, off/BlockSize
	}
}

// freeAll gives back every block; what follows begins at off or later.
func (b *blocks) freeAll(off uint64, pool *Pool) {
	b.put(b.list[b.head:], pool)
	b.list, b.head, b.base = b.list[:0], 0, off/BlockSize
}

// put gives back a part of the list.
func (b *blocks) put(part []*block, pool *Pool) {
	if b.kept == 0 || len(part) == 0 {
		return
	}
	for _, p := range part {
		if p != nil {
			b.kept--
		}
	}
	pool.put(part)
}

// maxKeptBlocks is how many blocks the list of a stream may have room for that leaves it to
// the next stream: more are few streams' need.
const maxKeptBlocks = 16

// keep returns the memory of the list, which is empty, for the next stream.
func (b *blocks) keep() []*block {
	if cap(b.list) > maxKeptBlocks {
		return nil
	}
	list := b.list[:cap(b.list)]
	clear(list)
	return list[:0]
}

// held returns how many bytes of memory the blocks have.
func (b *blocks) held() int64 { return int64(b.kept) * BlockSize }
