// Package fifo is a queue whose memory serves again, and which can be held to bounds by
// dropping what is oldest:
//
//	var q fifo.Queue[[]byte]
//	q.Push(b, len(b))
//	dropped := q.Shrink(100, 64<<10)
//	b, ok := q.Pop()
//
// It has no lock: package queue has one that goroutines share.
package fifo

// Queue is first in, first out. The zero value is empty.
type Queue[T any] struct {
	ring  []entry[T] // a power of two of them, or none
	head  int32      // where the oldest is
	count int32
	size  int // of all items
}

type entry[T any] struct {
	item T
	size int
}

const (
	// minRing is the first memory, in items: bursts are short.
	minRing = 4
	// keptRing is the largest ring that an empty queue keeps: many queues are empty.
	keptRing = 64
)

// Push adds an item, which counts as size of whatever Shrink bounds.
func (q *Queue[T]) Push(item T, size int) {
	q.Reserve(1)
	*q.at(q.count) = entry[T]{item, size}
	q.count++
	q.size += size
}

// Pop removes the oldest item. It returns false when there is none.
func (q *Queue[T]) Pop() (item T, ok bool) {
	if q.count == 0 {
		return item, false
	}
	e := q.at(0)
	item, q.size = e.item, q.size-e.size
	*e = entry[T]{}
	q.head = (q.head + 1) & int32(len(q.ring)-1)
	if q.count--; q.count == 0 {
		q.rest()
	}
	return item, true
}

// Len returns the number of items, and Size the sum of what they count as.
func (q *Queue[T]) Len() int { return int(q.count) }

// Size is described there.
func (q *Queue[T]) Size() int { return q.size }

// Shrink drops the oldest items until there are no more than items of them, which count
// as no more than size, and returns how many it has dropped.
func (q *Queue[T]) Shrink(items, size int) (dropped int) {
	for q.count > 0 && (int(q.count) > items || q.size > size) {
		q.Pop()
		dropped++
	}
	return dropped
}

// Take removes the items for which wanted returns true. Those that stay keep their
// order.
func (q *Queue[T]) Take(wanted func(T) bool) {
	kept := int32(0)
	for i := range q.count {
		e := *q.at(i)
		if wanted(e.item) {
			q.size -= e.size
			continue
		}
		*q.at(kept) = e
		kept++
	}
	for i := kept; i < q.count; i++ {
		*q.at(i) = entry[T]{}
	}
	if q.count = kept; kept == 0 {
		q.rest()
	}
}

// at returns the place of the item that i others are before.
func (q *Queue[T]) at(i int32) *entry[T] { return &q.ring[(q.head+i)&int32(len(q.ring)-1)] }

// Reserve makes room for n more items, so that Push need not do so bit by bit.
func (q *Queue[T]) Reserve(n int) {
	if int(q.count)+n <= len(q.ring) {
		return
	}
	size := max(minRing, len(q.ring))
	for size < int(q.count)+n {
		size *= 2
	}
	ring := make([]entry[T], size)
	n = copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// rest gives memory back when the queue is empty.
func (q *Queue[T]) rest() {
	q.head = 0
	if len(q.ring) > keptRing {
		q.ring = nil
	}
}
