package streambuf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

func newDatagramQueue(memory *Memory) *DatagramQueue {
	q, a := new(DatagramQueue), new(Account)
	a.Init(&Pool{Memory: memory})
	q.Init(a)
	q.SetLimit(65535)
	return q
}

// appendLength is a header for AppendTo.
func appendLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint16(b, uint16(n)) }

// TestDatagramQueue compares a queue with a list that keeps to the same bounds.
func TestDatagramQueue(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 6))
		q := newDatagramQueue(nil)
		var model [][]byte
		dropped, limit := uint64(0), 65535
		size := func() (n int) {
			for _, b := range model {
				n += lengthSize + len(b)
			}
			return n
		}
		most := 1 + r.IntN(5000)
		for range 3000 {
			switch r.IntN(8) {
			case 0, 1, 2, 3:
				b := text(uint64(r.IntN(100)), r.IntN(most))
				cut := r.IntN(len(b) + 1)
				switch err := q.Send(b[:cut], b[cut:]); {
				case len(b) > limit:
					if !errors.Is(err, ErrDatagramTooLarge) {
						t.Fatalf("seed %d: %d bytes, the limit is %d: %v", seed, len(b), limit, err)
					}
					continue
				case err != nil:
					t.Fatalf("seed %d: %v", seed, err)
				}
				for len(model) > 0 && (len(model) >= MaxQueuedDatagrams || size()+len(b) > MaxQueuedDatagramBytes) {
					model = model[1:]
					dropped++
				}
				model = append(model, b)
			case 4, 5:
				room, count := r.IntN(2*most), r.IntN(5)
				want, sent := []byte("before"), 0
				for len(model) > 0 && sent < count {
					b := model[0]
					if len(b) > limit {
						dropped++
					} else if room+6-len(want) < 2+len(b) {
						break
					} else {
						want, sent = append(appendLength(want, len(b)), b...), sent+1
					}
					model = model[1:]
				}
				got, n := q.AppendTo([]byte("before"), 6+room, count, 2, appendLength)
				if n != sent || !bytes.Equal(got, want) {
					t.Fatalf("seed %d: %d datagrams with %d bytes, want %d with %d", seed, n, len(got), sent, len(want))
				}
			case 6:
				n, ok := q.Front()
				if ok != (len(model) > 0) || ok && n != len(model[0]) {
					t.Fatalf("seed %d: the oldest has %d bytes, %v", seed, n, ok)
				}
			case 7:
				if limit = 65535; r.IntN(10) == 0 {
					limit = 1 + r.IntN(most)
				}
				q.SetLimit(limit)
			}
			if q.Len() != len(model) || q.Dropped() != dropped {
				t.Fatalf("seed %d: %d wait and %d were dropped, want %d and %d", seed, q.Len(), q.Dropped(), len(model), dropped)
			}
		}
		q.SetLimit(65535)
		q.AppendTo(nil, 10<<20, 10000, 2, appendLength)
		if n := q.account.Held(); n != 0 || q.Len() != 0 {
			t.Fatalf("seed %d: a queue of %d datagrams holds %d bytes", seed, q.Len(), n)
		}
	}
}

// When memory is short, a queue keeps the latest datagrams, and one in any case.
func TestDatagramQueueShortOfMemory(t *testing.T) {
	q := newDatagramQueue(NewMemory(3 * BlockSize))
	for range 100 {
		_ = q.Send(make([]byte, 1000))
	}
	if n := q.account.Held(); n > 3*BlockSize {
		t.Errorf("the queue holds %d bytes", n)
	}
	_ = q.Send(make([]byte, 5*BlockSize))
	if n, ok := q.Front(); n != 5*BlockSize || !ok || q.Len() != 1 {
		t.Errorf("%d datagrams wait, the oldest of %d bytes", q.Len(), n)
	}
}

// A queue that is filled and emptied allocates nothing.
func TestDatagramQueueDoesNotAllocate(t *testing.T) {
	q := newDatagramQueue(nil)
	header, data, buf := make([]byte, 2), make([]byte, 1100), make([]byte, 0, 1500)
	if n := testing.AllocsPerRun(1000, func() {
		_ = q.Send(header, data)
		q.AppendTo(buf, 1500, 1, 2, appendLength)
	}); n != 0 {
		t.Errorf("%v allocations for each datagram", n)
	}
}

// What is sent keeps to the limit.
func TestDatagramQueueLimit(t *testing.T) {
	q := newDatagramQueue(nil)
	q.SetLimit(0)
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
