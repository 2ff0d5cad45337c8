package queue

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestQueueOrder(t *testing.T) {
	var q Queue[int]
	for i := range 5 {
		q.Push(i)
	}
	q.Keep(func(i int) bool { return i%2 == 0 })
	failed := errors.New("failed")
	q.Close(failed)
	q.Close(errors.New("too late"))
	if q.Push(9) {
		t.Error("a closed queue took an item")
	}
	for _, want := range []int{0, 2, 4} {
		if got, err := q.Pop(t.Context()); got != want || err != nil {
			t.Errorf("Pop: %d, %v; want %d", got, err, want)
		}
	}
	if _, err := q.Pop(t.Context()); err != failed {
		t.Errorf("Pop when nothing is left: %v", err)
	}
}

// However many wait, each item goes to one of them and the end to all.
func TestQueueWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue[int]
		var mu sync.Mutex
		got := make(map[int]int)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for {
					item, err := q.Pop(t.Context())
					if err != nil {
						return
					}
					mu.Lock()
					got[item]++
					mu.Unlock()
				}
			})
		}
		for i := range 100 {
			if i%10 == 0 {
				synctest.Wait()
			}
			q.Push(i)
		}
		synctest.Wait()
		q.Close(errors.New("over"))
		wg.Wait()
		for i := range 100 {
			if got[i] != 1 {
				t.Errorf("item %d was taken %d times", i, got[i])
			}
		}
	})
}

func TestQueueContext(t *testing.T) {
	var q Queue[int]
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	cancel(cause)
	if _, err := q.Pop(ctx); err != cause {
		t.Errorf("Pop: %v, want the context's cause", err)
	}
	q.Push(1)
	if got := q.Clear(); len(got) != 1 || q.Len() != 0 {
		t.Errorf("Clear returned %v, left %d", got, q.Len())
	}
}
