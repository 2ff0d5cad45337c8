package streambuf

import (
	"errors"
	"sync"
)

// Errors of sending datagrams.
var (
	// ErrDatagramsOff: the peer, or this side, does not take datagrams.
	ErrDatagramsOff = errors.New("datagrams are not enabled on both sides")
	// ErrDatagramTooLarge: the datagram does not fit into a packet.
	ErrDatagramTooLarge = errors.New("datagram too large")
)

// Bounds on the datagrams that wait in a queue (RFC 9221, Section 5: they may be
// dropped for want of room). The oldest goes first: what applications send unreliably
// ages fast.
const (
	MaxQueuedDatagrams     = 1024
	MaxQueuedDatagramBytes = 1 << 20
	// minQueuedDatagramBytes is what a queue may hold when memory is short.
	minQueuedDatagramBytes = BlockSize
)

// DatagramQueue holds copies of datagrams between the application and the engine,
// within bounds. Any goroutine may use it.
type DatagramQueue struct {
	mu         sync.Mutex
	account    *Account
	data       blocks // datagrams, each behind its length in lengthSize bytes
	start, end uint64 // offsets in data
	count      int
	limit      int // bytes that a datagram to be sent may have now
	dropped    uint64
}

const lengthSize = 2

// Init makes q an empty queue of the account's connection. It must be called before any
// other method.
func (q *DatagramQueue) Init(account *Account) { q.account = account }

// SetLimit tells how many bytes a datagram may have that Send takes, 0 for none: what
// fits into a packet now.
func (q *DatagramQueue) SetLimit(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = n
}

// Limit returns what SetLimit was told last.
func (q *DatagramQueue) Limit() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limit
}

// Send is Push for a datagram that has to keep to the limit. The error is
// ErrDatagramsOff or ErrDatagramTooLarge.
func (q *DatagramQueue) Send(parts ...[]byte) error {
	switch limit := q.Limit(); {
	case limit == 0:
		return ErrDatagramsOff
	case sizeOf(parts) > limit:
		return ErrDatagramTooLarge
	}
	q.Push(parts...)
	return nil
}

func sizeOf(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// Push appends a datagram of at most 65535 bytes made of the parts given. When the
// queue is full, its oldest datagrams are dropped and counted.
func (q *DatagramQueue) Push(parts ...[]byte) {
	size := sizeOf(parts)
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.data.held()
	room := q.room()
	for q.count > 0 && (q.count >= MaxQueuedDatagrams || int(q.end-q.start)+size > room) {
		q.skip()
		q.dropped++
	}
	q.write([]byte{byte(size >> 8), byte(size)})
	for _, p := range parts {
		q.write(p)
	}
	q.count++
	q.account.holdReceived(q.data.held() - before)
}

// Pop appends the oldest datagram to dst. It returns false when there is none.
func (q *DatagramQueue) Pop(dst []byte) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		return dst, false
	}
	for at, left := q.start+lengthSize, q.front(); left > 0; {
		src := q.data.at(at)
		src = src[:min(len(src), left)]
		dst = append(dst, src...)
		at, left = at+uint64(len(src)), left-len(src)
	}
	q.remove()
	return dst, true
}

// Front returns the length of the oldest datagram.
func (q *DatagramQueue) Front() (n int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		return 0, false
	}
	return q.front(), true
}

// Discard drops the oldest datagram and counts it.
func (q *DatagramQueue) Discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count > 0 {
		q.remove()
		q.dropped++
	}
}

// Len returns how many datagrams wait.
func (q *DatagramQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// Dropped returns how many datagrams were dropped because the queue was full.
func (q *DatagramQueue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// room returns how many bytes the queue may hold now. The lock is held.
func (q *DatagramQueue) room() int {
	spare := int64(q.end-q.start) + q.account.pool.Memory.share() - q.account.Held()
	return int(min(max(spare, minQueuedDatagramBytes), MaxQueuedDatagramBytes))
}

// write appends bytes. The lock is held.
func (q *DatagramQueue) write(p []byte) {
	for len(p) > 0 {
		n := copy(q.data.grow(q.end, q.account.pool), p)
		q.end, p = q.end+uint64(n), p[n:]
	}
}

// front returns the length of the oldest datagram. The lock is held.
func (q *DatagramQueue) front() int {
	return int(q.data.at(q.start)[0])<<8 | int(q.data.at(q.start + 1)[0])
}

// skip goes on to the datagram behind the oldest. The lock is held.
func (q *DatagramQueue) skip() {
	q.start += lengthSize + uint64(q.front())
	q.count--
	if q.count == 0 {
		q.data.freeAll(q.start, q.account.pool)
	} else {
		q.data.free(q.start, q.account.pool)
	}
}

// remove is skip, and tells the account. The lock is held.
func (q *DatagramQueue) remove() {
	before := q.data.held()
	q.skip()
	q.account.holdReceived(q.data.held() - before)
}
