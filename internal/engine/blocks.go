package engine

import "sync"

// blockSize is the unit in which stream bytes are stored: a few packets, so that a
// bulk transfer does not change blocks all the time, and small enough that a
// short message holds little memory and touches few cache lines.
const blockSize = 4 << 10

type block [blockSize]byte

var blockPool = sync.Pool{New: func() any { return new(block) }}

// blocks stores the bytes of a stream from some offset on, in blocks aligned
// to multiples of blockSize. Blocks that no byte was written to are absent.
type blocks struct {
	list []*block  // list[head+i] holds block number base+i
	head int32     // list[:head] is released already
	kept int32     // blocks that are there
	base uint64    // number of the first block kept: its offset / blockSize
	one  [1]*block // the list's first array, as most streams need one block
}

// at returns the part of the block that holds offset off from off on, which
// must not be released yet. With grow it makes the block when there is none;
// without it returns nil then.
func (b *blocks) at(off uint64, grow bool) []byte {
	i := int(b.head) + int(off/blockSize-b.base)
	if i >= len(b.list) {
		if !grow {
			return nil
		}
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
	p := b.list[i]
	if p == nil {
		if !grow {
			return nil
		}
		p = blockPool.Get().(*block)
		b.list[i] = p
		b.kept++
	}
	return p[off%blockSize:]
}

// release gives back every block that lies wholly below off.
func (b *blocks) release(off uint64) {
	for int(b.head) < len(b.list) && (b.base+1)*blockSize <= off {
		b.free(int(b.head))
		b.head++
		b.base++
	}
	if int(b.head) == len(b.list) {
		b.list, b.head, b.base = b.list[:0], 0, off/blockSize
	}
}

// releaseAll gives back every block; what follows begins at off or later.
func (b *blocks) releaseAll(off uint64) {
	for i := int(b.head); i < len(b.list); i++ {
		b.free(i)
	}
	b.list, b.head, b.base = b.list[:0], 0, off/blockSize
}

func (b *blocks) free(i int) {
	if b.list[i] != nil {
		blockPool.Put(b.list[i])
		b.list[i] = nil
		b.kept--
	}
}

// held returns how many bytes of memory the blocks have.
func (b *blocks) held() int64 { return int64(b.kept) * blockSize }
