package handshake

import (
	"runtime"
	"sync"
)

// maxPoolSteps is how many steps of a Server's handshakes are under way at once,
// nearly all of them waiting in callbacks: each has a goroutine. Further ones wait
// for their turn, in the order in which they came.
const maxPoolSteps = 1024

// pool takes steps of handshakes in goroutines. As many as there are processors
// compute at a time, so that event loops, which the scheduler puts at the end of
// the same queue, do not wait for hundreds of signatures; those whose callbacks are
// waiting for something do not count.
type pool struct {
	mu       sync.Mutex
	slots    int             // how many may compute
	active   int             // how many do
	started  int             // steps under way
	queue    []func()        // steps not begun
	returned []chan struct{} // of steps whose callbacks have returned, and who wait for a slot
}

func newPool() *pool { return &pool{slots: runtime.GOMAXPROCS(0)} }

// run begins a step soon.
func (p *pool) run(step func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active == p.slots || p.started == maxPoolSteps {
		p.queue = append(p.queue, step)
		return
	}
	p.active++
	p.start(step)
}

// start begins a step which has a slot. The lock is held.
func (p *pool) start(step func()) {
	p.started++
	go func() {
		for step != nil {
			step()
			step = p.done()
		}
	}()
}

// done ends a step, and returns the one to be taken next by the same goroutine.
func (p *pool) done() (next func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.resume() {
		if next = p.pop(); next != nil {
			return next
		}
		p.active--
	}
	p.started--
	return nil
}

// pop takes the first step out that was not begun, nil if there is none.
func (p *pool) pop() (step func()) {
	if len(p.queue) == 0 {
		return nil
	}
	step = p.queue[0]
	p.queue[0] = nil
	if p.queue = p.queue[1:]; len(p.queue) == 0 {
		p.queue = nil
	}
	return step
}

// resume gives the caller's slot to a step whose callback has returned, and reports
// whether there is one.
func (p *pool) resume() bool {
	if len(p.returned) == 0 {
		return false
	}
	close(p.returned[0])
	p.returned = p.returned[1:]
	return true
}

// leave gives the slot back while a callback runs, and enter takes one again.
func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resume() {
		return
	}
	if p.started < maxPoolSteps {
		if next := p.pop(); next != nil {
			p.start(next)
			return
		}
	}
	p.active--
}

func (p *pool) enter() {
	p.mu.Lock()
	if p.active < p.slots {
		p.active++
		p.mu.Unlock()
		return
	}
	slot := make(chan struct{})
	p.returned = append(p.returned, slot)
	p.mu.Unlock()
	<-slot
}
