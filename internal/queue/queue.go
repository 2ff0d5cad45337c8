// Package queue hands things from an event loop, which never waits, to goroutines
// that do:
//
//	var q queue.Queue[*Stream]
//	q.Push(stream)             // on the loop
//	stream, err := q.Pop(ctx)  // anywhere
//	q.Close(err)               // for those who wait, and will
package queue

import (
	"context"
	"sync"
)

// Queue is first in, first out. The zero value is empty; any goroutine may use it.
type Queue[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // closed when there is something for those who wait; nil if nobody does
	err   error         // what Pop returns when nothing is left
}

// Push adds an item. It returns false if the queue is closed.
func (q *Queue[T]) Push(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return false
	}
	q.items = append(q.items, item)
	q.wake()
	return true
}

// Len returns the number of items.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Pop returns the next item, and waits for it as long as ctx lasts, whose cause is
// the error then. When the queue is closed and empty, the error is that of Close.
func (q *Queue[T]) Pop(ctx context.Context) (T, error) {
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
func (q *Queue[T]) tryPop() (item T, ready chan struct{}, err error) {
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

// Keep drops the items for which wanted returns false.
func (q *Queue[T]) Keep(wanted func(T) bool) {
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

// Close makes Pop return err once nothing is left. Of two calls the first counts.
func (q *Queue[T]) Close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		q.wake()
	}
}

// Clear takes all items out.
func (q *Queue[T]) Clear() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// wake ends the waits; the lock is held.
func (q *Queue[T]) wake() {
	if q.ready != nil {
		close(q.ready)
		q.ready = nil
	}
}
