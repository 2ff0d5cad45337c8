package loop

import "sync"

// item is one thing that another goroutine wants done: look at what is pending on a
// stream, call a function, or, without either, send a connection's datagrams.
type item struct {
	stream *Stream
	conn   *Conn // for which it is, if not nil: it is forgotten with it
	do     func()
}

// mailbox takes items from any goroutine to the loop's. Posting costs one lock
// and, as the slices are used again, allocates nothing.
type mailbox struct {
	mu     sync.Mutex
	items  []item
	parked bool // the loop sleeps, or is about to: a poster must wake it
	closed bool // nobody will take items out any more
}

// keptItems is the largest number of items whose memory is kept for the next
// batch: a burst from thousands of streams should not be remembered forever.
const keptItems = 4096

// post puts an item in. wake says that the loop must be woken, ok that it
// will see the item.
func (m *mailbox) post(it item) (wake, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, false
	}
	m.items = append(m.items, it)
	wake = m.parked
	m.parked = false
	return wake, true
}

// take returns all items and leaves spare, which is empty, in their place.
func (m *mailbox) take(spare []item) []item {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) == 0 {
		return spare
	}
	items := m.items
	m.items = spare
	return items
}

// park declares the loop asleep, unless there is something to do.
func (m *mailbox) park() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parked = len(m.items) == 0
	return m.parked
}

// unpark declares the loop awake.
func (m *mailbox) unpark() {
	m.mu.Lock()
	m.parked = false
	m.mu.Unlock()
}

// close makes post refuse and returns what was not taken.
func (m *mailbox) close() []item {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items, m.closed = nil, true
	return items
}
