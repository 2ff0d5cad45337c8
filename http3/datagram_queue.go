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

	// maxEarlyDatagrams and maxEarlyDatagramBytes bound what is kept for
	// requests that have not arrived yet (RFC 9297, Section 2.1), which may
	// have been overtaken.
	maxEarlyDatagrams     = 64
	maxEarlyDatagramBytes = 64 << 10
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

// earlyDatagram is a datagram of a request that has not arrived.
type earlyDatagram struct {
	streamID uint64
	payload  []byte
}

// earlyDatagrams keeps few of them, the latest.
type earlyDatagrams struct {
	list    []earlyDatagram
	bytes   int
	dropped uint64
}

func (e *earlyDatagrams) push(id uint64, p []byte) {
	if len(p) > maxEarlyDatagramBytes {
		e.dropped++
		return
	}
	for len(e.list) > 0 && (len(e.list) >= maxEarlyDatagrams || e.bytes+len(p) > maxEarlyDatagramBytes) {
		e.bytes -= len(e.list[0].payload)
		e.list = append(e.list[:0], e.list[1:]...)
		e.dropped++
	}
	e.list = append(e.list, earlyDatagram{id, append([]byte(nil), p...)})
	e.bytes += len(p)
}

// moveTo hands those of a request over.
func (e *earlyDatagrams) moveTo(id uint64, q *datagramQueue) {
	if len(e.list) == 0 {
		return
	}
	kept := e.list[:0]
	for _, d := range e.list {
		if d.streamID == id {
			q.push(d.payload)
			e.bytes -= len(d.payload)
		} else {
			kept = append(kept, d)
		}
	}
	clear(e.list[len(kept):])
	if e.list = kept; len(kept) == 0 {
		e.list = nil
	}
}
