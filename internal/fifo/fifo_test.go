package fifo

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestQueue compares a queue with a slice.
func TestQueue(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var q Queue[int]
		var model []int
		for range 2000 {
			switch n := r.IntN(100); {
			case n < 55:
				q.Push(n, n)
				model = append(model, n)
			case n < 95:
				got, ok := q.Pop()
				if ok != (len(model) > 0) || ok && got != model[0] {
					t.Fatalf("seed %d: Pop: %d, %v; want one of %v", seed, got, ok, model)
				}
				model = model[min(1, len(model)):]
			case n < 98:
				odd := func(i int) bool { return i%2 == 1 }
				q.Take(odd)
				model = slices.DeleteFunc(model, odd)
			default:
				dropped, want := q.Shrink(n/5, 10*n), 0
				for len(model) > n/5 || sum(model) > 10*n {
					model, want = model[1:], want+1
				}
				if dropped != want {
					t.Fatalf("seed %d: Shrink dropped %d, want %d", seed, dropped, want)
				}
			}
			if q.Len() != len(model) || q.Size() != sum(model) {
				t.Fatalf("seed %d: %d items that count as %d, want %d and %d", seed, q.Len(), q.Size(), len(model), sum(model))
			}
		}
	}
}

func sum(list []int) (n int) {
	for _, i := range list {
		n += i
	}
	return n
}

// TestMemory: what a queue keeps when it is empty serves the next items, and is little.
func TestMemory(t *testing.T) {
	var q Queue[[]byte]
	fill := func(n int) {
		for range n {
			q.Push(nil, 1)
		}
		for range n {
			q.Pop()
		}
	}
	if n := testing.AllocsPerRun(100, func() { fill(keptRing) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if fill(10 * keptRing); len(q.ring) != 0 {
		t.Errorf("an empty queue keeps room for %d items", len(q.ring))
	}
}
