package quic

import (
	"context"
	"sync"
)

// queue hands things from the event loop to goroutines that wait for them. The
// loop never waits.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // closed when there is something for those who wait; nil if nobody does
	err   error         // what pop returns when nothing is left
}

// push adds an item, unless the queue is closed.
func (q *queue[T]) push(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return false
	}
	q.items = append(q.items, item)
	q.wake()
	return true
}

// len returns the number of items.
func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// pop returns the next item, and waits for it as long as ctx lasts.
func (q *queue[T]) pop(ctx context.Context) (T, error) {
	for {
		item, ready, err := q.tryPop()
		if ready == nil {
			return item, err
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return item, context.Cause(ctx)
		}
	}
}

// tryPop returns the next item or the error, or a channel to wait for if there
// is neither.
func (q *queue[T]) tryPop() (item T, ready chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		if q.err == nil && q.ready == nil {
			q.ready = make(chan struct{})
		}
		return item, q.ready, q.err
	}
	var none T
	item, q.items[0] = q.items[0], none
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	return item, nil, nil
}

// keep drops the items for which wanted returns false.
func (q *queue[T]) keep(wanted func(T) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := make([]T, 0, len(q.items))
	for _, item := range q.items {
		if wanted(item) {
			kept = append(kept, item)
		}
	}
	q.items = kept
}

// close makes pop return err once nothing is left.
func (q *queue[T]) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		q.wake()
	}
}

// clear takes all items out.
func (q *queue[T]) clear() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// wake ends the waits; the lock is held.
func (q *queue[T]) wake() {
	if q.ready != nil {
		close(q.ready)
		q.ready = nil
	}
}
