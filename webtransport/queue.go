package webtransport

import (
	"context"
	"slices"
	"sync"
)

// queue holds streams until somebody accepts them.
type queue[T comparable] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // closed when there is something; nil if nobody waits
	err   error         // what pop returns when nothing is left
}

// push adds an item. It returns false when there are limit items already, or the
// queue is closed.
func (q *queue[T]) push(item T, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil || len(q.items) >= limit {
		return false
	}
	q.items = append(q.items, item)
	q.wake()
	return true
}

// removeBeyond takes an item out, if it is still there and more than n are.
func (q *queue[T]) removeBeyond(item T, n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) <= n {
		return false
	}
	i := slices.Index(q.items, item)
	if i >= 0 {
		q.items = slices.Delete(q.items, i, i+1)
	}
	return i >= 0
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

func (q *queue[T]) wake() {
	if q.ready != nil {
		close(q.ready)
		q.ready = nil
	}
}

// pop waits for the next item.
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

func (q *queue[T]) tryPop() (item T, ready chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.items) > 0:
		item = q.items[0]
		if q.items = slices.Delete(q.items, 0, 1); len(q.items) == 0 {
			q.items = nil
		}
		return item, nil, nil
	case q.err != nil:
		return item, nil, q.err
	case q.ready == nil:
		q.ready = make(chan struct{})
	}
	return item, q.ready, nil
}
