package loop

import "github.com/godwit-quic/godwit/internal/monotime"

// deadlines orders entries by their moment: a binary heap in which every entry
// knows its place, so that setting, moving and cancelling one take a logarithm of
// swaps and never search. An entry without a moment is not in it.
type deadlines[T any] struct{ heap []*deadline[T] }

// deadline is an entry, part of what it belongs to.
type deadline[T any] struct {
	of    *T
	at    monotime.Time // zero for never
	place int           // in the heap, from 1; 0 for none
}

// next returns the entry that comes first, nil if there is none.
func (d *deadlines[T]) next() *deadline[T] {
	if len(d.heap) == 0 {
		return nil
	}
	return d.heap[0]
}

// set moves e to the moment at, zero for never.
func (d *deadlines[T]) set(e *deadline[T], at monotime.Time) {
	if e.at == at {
		return
	}
	e.at = at
	switch {
	case at.IsZero():
		d.remove(e)
	case e.place == 0:
		d.heap = append(d.heap, e)
		e.place = len(d.heap)
		d.up(e.place - 1)
	case !d.up(e.place - 1):
		d.down(e.place - 1)
	}
}

// remove takes e out.
func (d *deadlines[T]) remove(e *deadline[T]) {
	i, last := e.place-1, len(d.heap)-1
	d.swap(i, last)
	d.heap[last] = nil
	d.heap = d.heap[:last]
	e.place = 0
	if i < last && !d.up(i) {
		d.down(i)
	}
}

func (d *deadlines[T]) before(i, j int) bool { return d.heap[i].at.Before(d.heap[j].at) }

func (d *deadlines[T]) swap(i, j int) {
	h := d.heap
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

// up moves entry i towards the front and reports whether it moved.
func (d *deadlines[T]) up(i int) bool {
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
func (d *deadlines[T]) down(i int) {
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
