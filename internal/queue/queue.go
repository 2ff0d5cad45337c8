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

	"github.com/godwit-quic/godwit/internal/fifo"
)

// Queue is first in, first out. The zero value is empty and without bounds; any
// goroutine may use it.
type Queue[T any] struct {
	mu      sync.Mutex
	items   fifo.Queue[T]
	ready   chan struct{} // has a token if one of those who wait should look; made for the first of them
	waiting int32         // how many wait
	err     error         // what Pop returns when nothing is left
	bounds  *bounds       // nil for none
}

// Push adds an item. It returns false if the queue is closed.
func (q *Queue[T]) Push(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return false
	}
	q.items.Push(item, 0)
	q.wake()
	return true
}

// Len returns the number of items.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.Len()
}

// Pop returns the next item, and waits for it as long as ctx lasts, whose cause is
// the error then. When the queue is closed and empty, the error is that of Close.
func (q *Queue[T]) Pop(ctx context.Context) (T, error) {
	item, ready, err := q.tryPop(false)
	for ready != nil {
		select {
		case <-ready:
			item, ready, err = q.tryPop(true)
		case <-ctx.Done():
			q.leave()
			return item, context.Cause(ctx)
		}
	}
	return item, err
}

// tryPop returns the next item or the error, or a channel to wait for if there is
// neither. waited says that the caller has waited already.
func (q *Queue[T]) tryPop(waited bool) (item T, ready chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if waited {
		q.waiting--
	}
	item, ok := q.items.Pop()
	switch {
	case ok:
		q.account()
		if q.items.Len() > 0 {
			q.wake() // another one
		}
		return item, nil, nil
	case q.err != nil:
		return item, nil, q.err
	case q.ready == nil:
		q.ready = make(chan struct{}, 1)
	}
	q.waiting++
	return item, q.ready, nil
}

// leave is for those who do not wait any more. What they may have been woken for is
// another one's.
func (q *Queue[T]) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting--; q.items.Len() > 0 {
		q.wake()
	}
}

// Keep drops the items for which wanted returns false.
func (q *Queue[T]) Keep(wanted func(T) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items.Take(func(item T) bool { return !wanted(item) })
	q.account()
}

// Close makes Pop return err once nothing is left. Of two calls the first counts.
func (q *Queue[T]) Close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	q.err = err
	if q.ready != nil {
		close(q.ready)
	}
}

// Clear takes all items out.
func (q *Queue[T]) Clear() (items []T) {
	q.Keep(func(item T) bool {
		items = append(items, item)
		return false
	})
	return items
}

// wake has one of those who wait look; the lock is held.
func (q *Queue[T]) wake() {
	if q.waiting == 0 || q.err != nil {
		return
	}
	select {
	case q.ready <- struct{}{}:
	default: // one is about to
	}
}
