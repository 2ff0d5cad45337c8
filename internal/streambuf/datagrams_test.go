package streambuf

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func newDatagramQueue(memory *Memory) *DatagramQueue {
	q, a := new(DatagramQueue), new(Account)
	a.Init(&Pool{Memory: memory})
	q.Init(a)
	return q
}

// TestDatagramQueue compares a queue with a list that keeps to the same bounds.
func TestDatagramQueue(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 6))
		q := newDatagramQueue(nil)
		var model [][]byte
		dropped := uint64(0)
		size := func() (n int) {
			for _, b := range model {
				n += lengthSize + len(b)
			}
			return n
		}
		most := 1 + r.IntN(5000)
		for range 3000 {
			switch r.IntN(7) {
			case 0, 1, 2, 3:
				b := text(uint64(r.IntN(100)), r.IntN(most))
				cut := r.IntN(len(b) + 1)
				q.Push(b[:cut], b[cut:])
				for len(model) > 0 && (len(model) >= MaxQueuedDatagrams || size()+len(b) > MaxQueuedDatagramBytes) {
					model = model[1:]
					dropped++
				}
				model = append(model, b)
			case 4, 5:
				got, ok := q.Pop([]byte("before"))
				if ok != (len(model) > 0) || ok && !bytes.Equal(got, append([]byte("before"), model[0]...)) {
					t.Fatalf("seed %d: popped %d bytes, %v", seed, len(got), ok)
				}
				model = model[min(1, len(model)):]
			case 6:
				n, ok := q.Front()
				if ok != (len(model) > 0) || ok && n != len(model[0]) {
					t.Fatalf("seed %d: the oldest has %d bytes, %v", seed, n, ok)
				}
				if r.IntN(10) == 0 && ok {
					q.Discard()
					model = model[1:]
					dropped++
				}
			}
			if q.Len() != len(model) || q.Dropped() != dropped {
				t.Fatalf("seed %d: %d wait and %d were dropped, want %d and %d", seed, q.Len(), q.Dropped(), len(model), dropped)
			}
		}
		for range len(model) {
			q.Discard()
		}
		if n := q.account.Held(); n != 0 {
			t.Fatalf("seed %d: an empty queue holds %d bytes", seed, n)
		}
	}
}

// When memory is short, a queue keeps the latest datagrams, and one in any case.
func TestDatagramQueueShortOfMemory(t *testing.T) {
	q := newDatagramQueue(NewMemory(3 * BlockSize))
	for range 100 {
		q.Push(make([]byte, 1000))
	}
	if n := q.account.Held(); n > 3*BlockSize {
		t.Errorf("the queue holds %d bytes", n)
	}
	q.Push(make([]byte, 5*BlockSize))
	if n, ok := q.Front(); n != 5*BlockSize || !ok || q.Len() != 1 {
		t.Errorf("%d datagrams wait, the oldest of %d bytes", q.Len(), n)
	}
}

// A queue that is filled and emptied allocates nothing.
func TestDatagramQueueDoesNotAllocate(t *testing.T) {
	q := newDatagramQueue(nil)
	header, data, buf := make([]byte, 2), make([]byte, 1100), make([]byte, 0, 1500)
	if n := testing.AllocsPerRun(1000, func() {
		q.Push(header, data)
		q.Pop(buf)
	}); n != 0 {
		t.Errorf("%v allocations for each datagram", n)
	}
}

// What is sent keeps to the limit.
func TestDatagramQueueLimit(t *testing.T) {
	q := newDatagramQueue(nil)
	if err := q.Send(nil); !errors.Is(err, ErrDatagramsOff) {
		t.Error(err)
	}
	q.SetLimit(10)
	if err := q.Send(make([]byte, 2), make([]byte, 9)); !errors.Is(err, ErrDatagramTooLarge) {
		t.Error(err)
	}
	if err := q.Send(make([]byte, 2), make([]byte, 8)); err != nil || q.Len() != 1 || q.Limit() != 10 {
		t.Errorf("%v, %d wait", err, q.Len())
	}
}
