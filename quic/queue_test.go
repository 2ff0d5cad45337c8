package quic

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestQueueOrder(t *testing.T) {
	var q queue[int]
	for i := range 5 {
		q.push(i)
	}
	q.keep(func(i int) bool { return i%2 == 0 })
	failed := errors.New("failed")
	q.close(failed)
	q.close(errors.New("too late"))
	if q.push(9) {
		t.Error("a closed queue took an item")
	}
	for _, want := range []int{0, 2, 4} {
		if got, err := q.pop(t.Context()); got != want || err != nil {
			t.Errorf("pop: %d, %v; want %d", got, err, want)
		}
	}
	if _, err := q.pop(t.Context()); err != failed {
		t.Errorf("pop when nothing is left: %v", err)
	}
}

// However many wait, each item goes to one of them and the end to all.
func TestQueueWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue[int]
		var mu sync.Mutex
		got := make(map[int]int)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for {
					item, err := q.pop(t.Context())
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
			q.push(i)
		}
		synctest.Wait()
		q.close(errors.New("over"))
		wg.Wait()
		for i := range 100 {
			if got[i] != 1 {
				t.Errorf("item %d was taken %d times", i, got[i])
			}
		}
	})
}

func TestQueueContext(t *testing.T) {
	var q queue[int]
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	cancel(cause)
	if _, err := q.pop(ctx); err != cause {
		t.Errorf("pop: %v, want the context's cause", err)
	}
	q.push(1)
	if got := q.clear(); len(got) != 1 || q.len() != 0 {
		t.Errorf("clear returned %v, left %d", got, q.len())
	}
}
