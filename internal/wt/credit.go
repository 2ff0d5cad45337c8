package wt

// credit is what the peer allows this end to use of one kind, and who waits for
// more of it. First come, first served: what a new limit allows is handed to those
// for whom it suffices, and nobody else is woken, so that a limit that is raised in
// tiny steps costs no more than the steps.
type credit struct {
	limit, used uint64
	told        uint64 // the limit that was last said to be reached, plus one
	owed        bool   // the peer has not been told of it

	first, last *claim // those who wait
}

// claim is a stream that waits for credit.
type claim struct {
	stream     *Stream
	want, got  uint64
	waits      bool // is in the list
	prev, next *claim
}

// take returns up to n of what is left, or a claim of st's if it is nothing, or
// others wait for it.
func (c *credit) take(n uint64, st *Stream) (uint64, *claim) {
	if n == 0 || c.first == nil && c.used < c.limit {
		n = min(n, c.limit-c.used)
		c.used += n
		return n, nil
	}
	w := &claim{stream: st, want: n, waits: true, prev: c.last}
	if c.last != nil {
		c.last.next = w
	} else {
		c.first = w
	}
	c.last = w
	c.block()
	return 0, w
}

// block notes that the limit keeps a stream waiting, which the peer is told once.
func (c *credit) block() {
	if c.told != c.limit+1 {
		c.told, c.owed = c.limit+1, true
	}
}

// serve gives what is left to those who have waited longest.
func (c *credit) serve() {
	for c.first != nil && c.used < c.limit {
		w := c.first
		w.got = min(w.want, c.limit-c.used)
		c.used += w.got
		c.remove(w)
		w.stream.granted()
	}
	if c.first != nil {
		c.block()
	}
}

// giveUp takes a claim out, and back what it got.
func (c *credit) giveUp(w *claim) {
	if w.waits {
		c.remove(w)
		return
	}
	c.used -= w.got
	w.got = 0
	c.serve()
}

// dismiss ends the wait of all, for nothing.
func (c *credit) dismiss() {
	for c.first != nil {
		w := c.first
		c.remove(w)
		w.stream.granted()
	}
}

// remove takes a claim out of the list.
func (c *credit) remove(w *claim) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		c.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		c.last = w.prev
	}
	w.prev, w.next, w.waits = nil, nil, false
}
