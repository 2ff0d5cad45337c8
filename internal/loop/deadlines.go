package loop

import "github.com/godwit-quic/godwit/internal/monotime"

// deadlines orders the connections by their deadline: a binary heap in which
// every connection knows its place, so that setting, moving and cancelling one
// take a logarithm of swaps and never search. A connection has one entry, and
// none while it has no deadline.
type deadlines struct{ heap []*Conn }

// notQueued is the place of a connection without an entry.
const notQueued = -1

// next returns the connection whose deadline is first, nil if there is none.
func (d *deadlines) next() *Conn {
	if len(d.heap) == 0 {
		return nil
	}
	return d.heap[0]
}

// set gives c the deadline at, zero for none.
func (d *deadlines) set(c *Conn, at monotime.Time) {
	if c.at == at {
		return
	}
	c.at = at
	switch {
	case at.IsZero():
		d.remove(c)
	case c.place == notQueued:
		c.place = len(d.heap)
		d.heap = append(d.heap, c)
		d.up(c.place)
	case !d.up(c.place):
		d.down(c.place)
	}
}

// remove takes c's entry out.
func (d *deadlines) remove(c *Conn) {
	i, last := c.place, len(d.heap)-1
	d.swap(i, last)
	d.heap[last] = nil
	d.heap = d.heap[:last]
	c.place = notQueued
	if i < last && !d.up(i) {
		d.down(i)
	}
}

func (d *deadlines) before(i, j int) bool { return d.heap[i].at.Before(d.heap[j].at) }

func (d *deadlines) swap(i, j int) {
	h := d.heap
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// up moves entry i towards the front and reports whether it moved.
func (d *deadlines) up(i int) bool {
	from := i
	for i > 0 {
		parent := (i - 1) / 2
		if !d.before(i, parent) {
			break
		}
		d.swap(i, parent)
		i = parent
	}
	return i != from
}

// down moves entry i away from the front.
func (d *deadlines) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(d.heap) {
			return
		}
		if right := child + 1; right < len(d.heap) && d.before(right, child) {
			child = right
		}
		if !d.before(child, i) {
			return
		}
		d.swap(i, child)
		i = child
	}
}
