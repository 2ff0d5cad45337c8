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

// Bounds on the datagrams that wait to be sent (RFC 9221, Section 5: they may be
// dropped for want of room). The oldest goes first: what applications send unreliably
// ages fast.
const (
	MaxQueuedDatagrams     = 1024
	MaxQueuedDatagramBytes = 1 << 20
	// minQueuedDatagramBytes is what a queue may hold when memory is short.
	minQueuedDatagramBytes = BlockSize
)

// DatagramQueue holds copies of datagrams from the application until the engine sends
// them, within bounds. Any goroutine may use it.
type DatagramQueue struct {
	mu         sync.Mutex
	account    *Account
	data       blocks // datagrams, each behind its length in lengthSize bytes
	start, end uint64 // offsets in data
	count      int
	limit      int // bytes that a datagram may have now
	dropped    uint64
}

const lengthSize = 2

// Init makes q an empty queue of the account's connection. It must be called before any
// other method.
func (q *DatagramQueue) Init(account *Account) { q.account = account }

// SetLimit tells how many bytes a datagram may have now, at most 65535, 0 if none may be
// sent: what fits into a packet.
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

// Send appends a datagram made of the parts given. When the queue is full, its oldest
// datagrams are dropped and counted. The error is ErrDatagramsOff or
// ErrDatagramTooLarge.
func (q *DatagramQueue) Send(parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.limit == 0:
		return ErrDatagramsOff
	case size > q.limit:
		return ErrDatagramTooLarge
	}
	before := q.data.kept
	if q.count >= MaxQueuedDatagrams || int(q.end-q.start)+size > minQueuedDatagramBytes {
		q.makeRoom(size)
	}
	q.write([]byte{byte(size >> 8), byte(size)})
	for _, p := range parts {
		q.write(p)
	}
	q.count++
	q.changed(before)
	return nil
}

// makeRoom drops datagrams for one of size bytes. The lock is held.
func (q *DatagramQueue) makeRoom(size int) {
	spare := int64(q.end-q.start) + q.account.pool.Memory.share() - q.account.Held()
	room := int(min(max(spare, minQueuedDatagramBytes), MaxQueuedDatagramBytes))
	for q.count > 0 && (q.count >= MaxQueuedDatagrams || int(q.end-q.start)+size > room) {
		q.drop()
	}
}

// AppendTo moves datagrams to the end of b, the oldest first, up to most of them, while
// b stays within max bytes. header appends what comes before a datagram of n bytes, and
// is at most headerSize bytes long. It returns how many there are. Datagrams that are
// beyond the limit now are dropped and counted.
func (q *DatagramQueue) AppendTo(b []byte, max, most, headerSize int, header func(b []byte, n int) []byte) (_ []byte, sent int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.data.kept
	for q.count > 0 && sent < most {
		n := q.front()
		if n > q.limit {
			q.drop() // the path has shrunk since it was queued
			continue
		}
		if max-len(b) < headerSize+n {
			break
		}
		b = q.read(header(b, n), n)
		q.skip(n)
		sent++
	}
	q.changed(before)
	return b, sent
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

// Len returns how many datagrams wait.
func (q *DatagramQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// Dropped returns how many datagrams were dropped, for want of room or as they had
// become too large.
func (q *DatagramQueue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// What follows is called with the lock held.

// write appends bytes.
func (q *DatagramQueue) write(p []byte) {
	for len(p) > 0 {
		n := copy(q.data.grow(q.end, q.account.pool), p)
		q.end, p = q.end+uint64(n), p[n:]
	}
}

// read appends the n bytes of the oldest datagram to b.
func (q *DatagramQueue) read(b []byte, n int) []byte {
	for at := q.start + lengthSize; n > 0; {
		src := q.data.at(at)
		src = src[:min(len(src), n)]
		b = append(b, src...)
		at, n = at+uint64(len(src)), n-len(src)
	}
	return b
}

// front returns the length of the oldest datagram.
func (q *DatagramQueue) front() int {
	return int(q.data.at(q.start)[0])<<8 | int(q.data.at(q.start + 1)[0])
}

// drop counts the oldest datagram as dropped, and goes on to the next.
func (q *DatagramQueue) drop() {
	q.skip(q.front())
	q.dropped++
}

// skip goes on to the datagram behind the oldest, which has n bytes.
func (q *DatagramQueue) skip(n int) {
	q.start += lengthSize + uint64(n)
	q.count--
	if q.count == 0 {
		q.data.freeAll(q.start, q.account.pool)
	} else {
		q.data.free(q.start, q.account.pool)
	}
}

// changed tells the account, if there were so many blocks before.
func (q *DatagramQueue) changed(before int32) {
	q.account.holdReceived(int64(q.data.kept-before) * BlockSize)
}
