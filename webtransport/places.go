package webtransport

import (
	"context"
	"sync"
	"time"
)

// places counts a connection's sessions, and requests about to become one. A session
// gives its place back the moment it ends, not when its handler returns. Any goroutine
// may use it.
type places struct {
	mu      sync.Mutex
	taken   int
	waiting int
	freed   chan struct{} // closed when a place is given back; nil if nobody waits for one
}

// newcomerPatience is how long a client's request waits for a place. The end of the
// session that had it may be lost, or be behind the request: a client that closes a
// session and opens another has done nothing wrong.
const newcomerPatience = time.Second

// take takes a place, if fewer than limit are taken.
func (p *places) take(limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= limit {
		return false
	}
	p.taken++
	return true
}

// await is take that waits for a place. As many as there are places may wait.
func (p *places) await(ctx context.Context, limit int) bool {
	if p.take(limit) {
		return true
	}
	if !p.wait(limit) {
		return false
	}
	defer p.waitNoMore()
	timer := time.NewTimer(newcomerPatience)
	defer timer.Stop()
	for {
		freed := p.next()
		if p.take(limit) {
			return true
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false
		case <-timer.C:
			return false
		}
	}
}

// wait counts somebody who waits, unless there are too many.
func (p *places) wait(limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting >= limit {
		return false
	}
	p.waiting++
	return true
}

func (p *places) waitNoMore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

// next returns what is closed when the next place is given back.
func (p *places) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.freed == nil {
		p.freed = make(chan struct{})
	}
	return p.freed
}

// giveBack gives a place back.
func (p *places) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.freed != nil {
		close(p.freed)
		p.freed = nil
	}
}

// count returns how many places are taken.
func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}
