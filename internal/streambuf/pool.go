package streambuf

import "sync"

// BlockSize is the unit in which bytes are stored: a few packets, so that a bulk
// transfer does not change blocks all the time, and small enough that a short message
// holds little memory and touches few cache lines.
const BlockSize = 4 << 10

type block [BlockSize]byte

// maxSpareBlocks is how many blocks a Pool keeps that nobody needs now, 2 MiB: what the
// acknowledgments of a turn set free on a fast path, for writers who are about to fill
// it again. More go to the garbage collector.
const maxSpareBlocks = 512

// Pool keeps the blocks that are not in use for those who need one next. An endpoint
// has one for its connections, as buffers of one loop seldom meet those of another.
// Any goroutine may use it. The zero value is an empty one without a budget.
type Pool struct {
	// Memory bounds what the buffers that use the pool hold; pools may share it. nil
	// means no limit. It must not be changed once the pool is in use.
	Memory *Memory

	mu    sync.Mutex
	spare []*block
}

// get returns a block, in which anything may be.
func (p *Pool) get() *block {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.spare) - 1
	if n < 0 {
		return new(block)
	}
	b := p.spare[n]
	p.spare[n], p.spare = nil, p.spare[:n]
	return b
}

// put takes the blocks out of list, in which some may be nil.
func (p *Pool) put(list []*block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range list {
		if b != nil && len(p.spare) < maxSpareBlocks {
			p.spare = append(p.spare, b)
		}
		list[i] = nil
	}
}

// Drain gives the spare blocks to the garbage collector, as an endpoint does whose
// connections are all at rest.
func (p *Pool) Drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = nil
}

// Spare returns how many bytes of blocks are not in use.
func (p *Pool) Spare() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.spare) * BlockSize
}
