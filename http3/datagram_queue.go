package http3

import (
	"context"
	"sync"
	"sync/atomic"
)

const (
	// maxQueuedDatagrams and maxQueuedDatagramBytes bound what waits of one
	// request to be received: some hundred packets, which arrive in a burst and
	// which a reader that runs soon gets all of.
	maxQueuedDatagrams     = 512
	maxQueuedDatagramBytes = 512 << 10

	// maxConnDatagramBytes bounds what waits of all requests of a connection.
	maxConnDatagramBytes = 4 << 20
)

// datagramQueue holds the datagrams of a request until somebody receives them.
// When it is full, the oldest is dropped: what is sent unreliably ages fast.
type datagramQueue struct {
	total *atomic.Int64 // bytes that wait on the connection

	mu      sync.Mutex
	list    [][]byte
	bytes   int
	dropped uint64
	ready   chan struct{} // closed when there is something; nil if nobody waits
	settled bool          // the bytes do not count for the connection any more
	err     error         // what pop returns when nothing is left
}

// push adds a copy of a datagram.
func (q *datagramQueue) push(p []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		q.dropped++
		return
	}
	for len(q.list) > 0 && (len(q.list) >= maxQueuedDatagrams || q.bytes+len(p) > maxQueuedDatagramBytes) {
		q.take()
		q.dropped++
	}
	if q.total.Add(int64(len(p))) > maxConnDatagramBytes {
		q.total.Add(-int64(len(p)))
		q.dropped++
		return
	}
	q.list = append(q.list, append(make([]byte, 0, len(p)), p...))
	q.bytes += len(p)
	q.wake()
}

// take removes the oldest; the lock is held.
func (q *datagramQueue) take() []byte {
	p := q.list[0]
	q.list[0] = nil
	if q.list = q.list[1:]; len(q.list) == 0 {
		q.list = nil
	}
	q.bytes -= len(p)
	if !q.settled {
		q.total.Add(-int64(len(p)))
	}
	return p
}

func (q *datagramQueue) wake() {
	if q.ready != nil {
		close(q.ready)
		q.ready = nil
	}
}

// pop waits for the oldest datagram.
func (q *datagramQueue) pop(ctx context.Context) ([]byte, error) {
	for {
		p, ready, err := q.tryPop()
		if ready == nil {
			return p, err
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (q *datagramQueue) tryPop() (p []byte, ready chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.list) > 0:
		return q.take(), nil, nil
	case q.err != nil:
		return nil, nil, q.err
	case q.ready == nil:
		q.ready = make(chan struct{})
	}
	return nil, q.ready, nil
}

// close makes pop return err once nothing is left, and refuses more.
func (q *datagramQueue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		q.wake()
	}
}

// settle takes what waits off the connection's account: the tunnel has ended, and
// what was received may still be read.
func (q *datagramQueue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.settled {
		q.settled = true
		q.total.Add(-int64(q.bytes))
	}
}

func (q *datagramQueue) count() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
