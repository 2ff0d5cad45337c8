package queue

// Bounds are how much may wait in a queue of datagrams. Beyond them the oldest are
// dropped: what is sent unreliably ages fast.
type Bounds struct {
	// Items and Bytes bound a queue. A datagram counts as its bytes and Overhead.
	Items, Bytes int
	// Account is told how many bytes are kept, nil for nobody, and says whether that is
	// within what is for all who share it. When it is not, a queue keeps Least bytes.
	Account Account
	Least   int
}

// Account counts n bytes more, or less, that are kept of what a peer sent, and reports
// whether there is room for them. Any goroutine may call it.
type Account interface{ CountBuffered(n int) (within bool) }

// Overhead is what a datagram counts as beyond its bytes: about the memory for its
// place in a queue, so that empty ones are bounded as well.
const Overhead = 32

// bounds are a queue's, and what has come of them.
type bounds struct {
	Bounds
	counted int // bytes that the Account knows of
	dropped uint64
}

// accountStep is by how many bytes the Account may be behind what has been taken out.
const accountStep = 4 << 10

// Bound sets bounds. It must be called before any other method.
func (q *Queue[T]) Bound(b Bounds) { q.bounds = &bounds{Bounds: b} }

// PushDatagrams adds copies of datagrams to a queue with bounds, in whose place they
// come. It drops them if the queue is closed.
func PushDatagrams(q *Queue[[]byte], list [][]byte) {
	copyAll(list)
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.bounds
	if q.err != nil {
		b.dropped += uint64(len(list))
		return
	}
	q.items.Reserve(len(list))
	for _, p := range list {
		q.items.Push(p, len(p)+Overhead)
		b.dropped += uint64(q.items.Shrink(b.Items, b.Bytes))
	}
	for !q.tell() && q.items.Size() > b.Least {
		q.items.Pop()
		b.dropped++
	}
	if q.items.Len() > 0 {
		q.wake()
	}
}

// account is tell when there is enough to tell. The lock is held.
func (q *Queue[T]) account() {
	if b := q.bounds; b != nil && (q.items.Size() == 0 || q.items.Size() <= b.counted-accountStep) {
		q.tell()
	}
}

// tell tells the Account what has changed, and returns what it says. The lock is held.
func (q *Queue[T]) tell() (within bool) {
	b := q.bounds
	if b.Account == nil {
		return true
	}
	n := q.items.Size() - b.counted
	b.counted += n
	return b.Account.CountBuffered(n)
}

// Settle ends the account of a queue that is closed: what is left in it is kept by
// those who may take it out.
func (q *Queue[T]) Settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b := q.bounds; b.Account != nil {
		b.Account.CountBuffered(-b.counted)
		b.Account = nil
	}
}

// Dropped returns how many datagrams were dropped.
func (q *Queue[T]) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bounds.dropped
}

// maxShared is how many bytes of datagrams share an allocation: an allocation for each
// costs more than everything else that is done for a small one, and who keeps one of them
// keeps little of the others.
const maxShared = 1 << 10

// copyAll puts copies in the place of what is in list.
func copyAll(list [][]byte) {
	for len(list) > 0 {
		n, size := 1, len(list[0])
		for n < len(list) && size+len(list[n]) <= maxShared {
			size += len(list[n])
			n++
		}
		shared := make([]byte, 0, size)
		for i, p := range list[:n] {
			at := len(shared)
			shared = append(shared, p...)
			list[i] = shared[at:len(shared):len(shared)]
		}
		list = list[n:]
	}
}
