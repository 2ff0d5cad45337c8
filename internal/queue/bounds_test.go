package queue

import (
	"bytes"
	"errors"
	"testing"
)

// share is an Account with room for so many bytes.
type share struct{ held, limit int }

func (s *share) CountBuffered(n int) bool {
	s.held += n
	return s.held <= s.limit
}

// list returns n datagrams of size bytes, numbered from first on.
func list(first, n, size int) (list [][]byte) {
	for i := range n {
		list = append(list, bytes.Repeat([]byte{byte(first + i)}, size))
	}
	return list
}

// TestBounds: beyond its bounds a queue drops the oldest datagrams, and counts them.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bounds Bounds
		share  int
		size   int
		first  byte // of 20 the first that is left
	}{
		{"room for all", Bounds{Items: 20, Bytes: 20 * (10 + Overhead)}, 1000, 10, 0},
		{"number", Bounds{Items: 12, Bytes: 1000}, 1000, 10, 8},
		{"bytes", Bounds{Items: 20, Bytes: 10 * (10 + Overhead)}, 1000, 10, 10},
		{"empty ones", Bounds{Items: 20, Bytes: 10 * Overhead}, 1000, 0, 10},
		{"share", Bounds{Items: 20, Bytes: 2000}, 7 * (10 + Overhead), 10, 13},
		{"what is left in any case", Bounds{Items: 20, Bytes: 2000, Least: 3 * (10 + Overhead)}, 0, 10, 17},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var q Queue[[]byte]
			account := &share{limit: tt.share}
			tt.bounds.Account = account
			q.Bound(tt.bounds)
			for i := 0; i < 20; i += 5 {
				PushDatagrams(&q, list(i, 5, tt.size))
			}
			left := 20 - int(tt.first)
			if q.Len() != left || q.Dropped() != uint64(tt.first) || account.held != left*(tt.size+Overhead) {
				t.Fatalf("%d wait, %d were dropped, %d bytes are counted; want %d left", q.Len(), q.Dropped(), account.held, left)
			}
			for i := range left {
				if p, err := q.Pop(t.Context()); err != nil || !bytes.Equal(p, list(int(tt.first)+i, 1, tt.size)[0]) {
					t.Fatalf("datagram %d: %v, %v", i, p, err)
				}
			}
			if account.held != 0 {
				t.Errorf("%d bytes are counted of an empty queue", account.held)
			}
		})
	}
}

// TestSettle: what is left when a queue is closed can be taken out, and counts for nobody.
func TestSettle(t *testing.T) {
	var q Queue[[]byte]
	account := &share{limit: 1000}
	q.Bound(Bounds{Items: 10, Bytes: 1000, Account: account})
	PushDatagrams(&q, list(0, 3, 1))
	failed := errors.New("failed")
	q.Close(failed)
	q.Settle()
	PushDatagrams(&q, list(3, 1, 1))
	if account.held != 0 || q.Dropped() != 1 {
		t.Errorf("%d bytes are counted, %d were dropped", account.held, q.Dropped())
	}
	for range 3 {
		if _, err := q.Pop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := q.Pop(t.Context()); err != failed || account.held != 0 {
		t.Errorf("%v, %d bytes are counted", err, account.held)
	}
}

// TestCopies: what comes out is no part of what went in, does not reach into its
// neighbours, and is not allocated one by one.
func TestCopies(t *testing.T) {
	var q Queue[[]byte]
	q.Bound(Bounds{Items: 100, Bytes: 1 << 20})
	in := list(0, 16, 64)
	again := make([][]byte, 16)
	if n := testing.AllocsPerRun(100, func() {
		copy(again, in)
		PushDatagrams(&q, again)
		for range in {
			_, _ = q.Pop(t.Context())
		}
	}); n != 1 {
		t.Errorf("%v allocations for 16 datagrams of 64 bytes", n)
	}
	copy(again, in)
	PushDatagrams(&q, again)
	for i := range in {
		clear(in[i])
	}
	for i := range in {
		p, _ := q.Pop(t.Context())
		if !bytes.Equal(p, list(i, 1, 64)[0]) {
			t.Errorf("datagram %d is %v", i, p)
		}
		_ = append(p, 0xff)
	}
}
