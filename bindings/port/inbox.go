package port

import "sync"

// inbox has commands for a connection that cannot be carried out where they were read: it
// is not there yet, or lives on another lane.
type inbox struct {
	mu     sync.Mutex
	wait   []byte
	posted bool // somebody is going to take what waits
	closed bool // nobody will
}

// add keeps commands. The lock is held.
func (b *inbox) add(commands []byte) { b.wait = append(b.wait, commands...) }

// close returns what waits, after which nothing may.
func (b *inbox) close() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.take()
}

// take returns what waits, and leaves nothing. The lock is held.
func (b *inbox) take() []byte {
	waiting := b.wait
	b.wait, b.posted = nil, false
	return waiting
}
