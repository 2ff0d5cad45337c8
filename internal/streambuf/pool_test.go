package streambuf

import "testing"

// TestPool: a pool keeps what it is given up to its bound, gives it out again, and
// nothing after it was drained.
func TestPool(t *testing.T) {
	var p Pool
	var b blocks
	const n = maxSpareBlocks + 10
	for i := range uint64(n) {
		b.grow(i*BlockSize, &p)
	}
	if p.Spare() != 0 || b.held() != n*BlockSize {
		t.Fatalf("%d bytes are spare, %d in use", p.Spare(), b.held())
	}
	b.freeAll(n*BlockSize, &p)
	if p.Spare() != maxSpareBlocks*BlockSize || b.held() != 0 {
		t.Fatalf("%d bytes are spare, %d in use", p.Spare(), b.held())
	}
	first := b.grow(n*BlockSize, &p)
	b.free((n+1)*BlockSize, &p)
	if again := b.grow((n+1)*BlockSize, &p); &again[0] != &first[0] {
		t.Error("a block was made though there was a spare one")
	}
	p.Drain()
	if p.Spare() != 0 {
		t.Errorf("%d bytes are spare after Drain", p.Spare())
	}
}
