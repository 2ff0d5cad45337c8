package streambuf

import (
	"cmp"
	"slices"
)

const (
	// maxPieces is how many bytes the pieces of one block may take before they get the
	// block: a quarter of it.
	maxPieces = BlockSize / 4
	// pieceHeader is in front of a piece: its offset in the block, and its length, of two
	// bytes each.
	pieceHeader = 4
	// fragmentSize is the memory for a fragment without its pieces, in bytes.
	fragmentSize = 32
)

// fragment is what has come of a block, piece behind piece.
type fragment struct {
	block  uint64 // its number
	pieces []byte
}

// fragments keep small pieces of a stream that came before others, those of each block
// together: who sends a byte here and there would have a block kept for each. They are
// in order.
type fragments struct {
	list []fragment
	size int64 // of their memory, in bytes
}

// held returns how many bytes of memory they have; nil has none.
func (f *fragments) held() int64 {
	if f == nil {
		return 0
	}
	return f.size
}

// find returns where the fragment of a block is, or belongs.
func (f *fragments) find(block uint64) (int, bool) {
	return slices.BinarySearchFunc(f.list, block, func(x fragment, block uint64) int { return cmp.Compare(x.block, block) })
}

// add keeps a piece, and reports whether there is room for it.
func (f *fragments) add(off uint64, p []byte) bool {
	i, found := f.find(off / BlockSize)
	if !found {
		if pieceHeader+len(p) > maxPieces {
			return false
		}
		f.list = slices.Insert(f.list, i, fragment{block: off / BlockSize})
		f.size += fragmentSize
	}
	x := &f.list[i]
	if len(x.pieces)+pieceHeader+len(p) > maxPieces {
		return false
	}
	at := int(off % BlockSize)
	before := cap(x.pieces)
	x.pieces = append(x.pieces, byte(at>>8), byte(at), byte(len(p)>>8), byte(len(p)))
	x.pieces = append(x.pieces, p...)
	f.size += int64(cap(x.pieces) - before)
	return true
}

// take takes a fragment out and copies its pieces into the block.
func (f *fragments) take(i int, block []byte) {
	x := f.list[i]
	f.size -= fragmentSize + int64(cap(x.pieces))
	f.list = slices.Delete(f.list, i, i+1)
	for p := x.pieces; len(p) > 0; {
		at, n := int(p[0])<<8|int(p[1]), int(p[2])<<8|int(p[3])
		copy(block[at:], p[pieceHeader:pieceHeader+n])
		p = p[pieceHeader+n:]
	}
}

// keepPieces is keep for bytes that cannot be read before others come.
func (b *recvState) keepPieces(off uint64, data []byte) {
	for len(data) > 0 {
		n := min(len(data), int(BlockSize-off%BlockSize))
		b.keepPiece(off, data[:n])
		off, data = off+uint64(n), data[n:]
	}
}

// keepPiece is keepPieces within a block.
func (b *recvState) keepPiece(off uint64, p []byte) {
	if b.data.at(off) == nil {
		if b.pieces == nil {
			b.pieces = new(fragments)
		}
		if b.pieces.add(off, p) {
			return
		}
		b.unite(off)
	}
	copy(b.data.grow(off, b.account.pool), p)
}

// unite gives the block around off what is kept in pieces of it.
func (b *recvState) unite(off uint64) {
	if i, found := b.pieces.find(off / BlockSize); found {
		b.pieces.take(i, b.data.grow(off/BlockSize*BlockSize, b.account.pool))
	}
}

// uniteBelow does so for all blocks that begin below end.
func (b *recvState) uniteBelow(end uint64) {
	for len(b.pieces.list) > 0 && b.pieces.list[0].block*BlockSize < end {
		b.unite(b.pieces.list[0].block * BlockSize)
	}
	if len(b.pieces.list) == 0 {
		b.pieces = nil
	}
}
