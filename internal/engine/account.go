package engine

import "sync/atomic"

// What waits to be sent on a connection. A stream holds more than minUnsent only
// if the peer lets it be sent: who grants no credit, or takes nothing, costs a
// block for each stream and not what an application has to say to it.
const (
	// maxStreamUnsent is how many bytes not yet sent a stream takes from its writer
	// before Write asks it to wait: enough to fill several segmented sends while
	// the writer is scheduled again.
	maxStreamUnsent = 512 << 10
	// maxConnUnsent is the same for all streams of a connection together. One alone
	// gets half of it, n of them 1/(n+1) each.
	maxConnUnsent = 1 << 20
	// minUnsent is what a stream may hold whatever the others do, so that none
	// waits for another one: a block.
	minUnsent = blockSize
	// maxUnackedWindows is how many congestion windows of bytes a connection keeps
	// for the peer to acknowledge, beside maxConnUnsent: what is in flight, and as
	// much again behind a packet that was lost.
	maxUnackedWindows = 2
)

// Memory is what the buffers of all connections of some endpoints hold, and may
// hold, together: bytes to be sent or acknowledged, and bytes received and not
// read. Any goroutine may use it.
//
// No connection gets more than a half of what is free. So those that want much have
// the same, a newcomer finds room, and the more of them there are, the less each
// has: with n of them a share of 1/(n+2). The limit may be exceeded by a block for
// each stream, which it may have whatever the others do, by a block for each of those
// who write at the same moment, and by what peers send within the windows that they
// were granted before.
type Memory struct {
	limit int64 // bytes
	used  atomic.Int64
}

// NewMemory returns a budget of so many bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Limit returns the size of the budget in bytes.
func (m *Memory) Limit() int64 { return m.limit }

// Used returns how many bytes are held, a little more than there really are: each
// connection counts in steps, but not beyond the limit.
func (m *Memory) Used() int64 { return m.used.Load() }

// minShare is what a connection may keep for itself however short memory is, in bytes.
const minShare = 4 << 10

// noLimit is the share of those who have no budget, in bytes.
const noLimit = 1 << 62

// share returns how many bytes one connection may hold now.
func (m *Memory) share() int64 {
	if m == nil {
		return noLimit
	}
	return (m.limit - m.used.Load()) / 2
}

// full reports whether all is used.
func (m *Memory) full() bool { return m != nil && m.used.Load() >= m.limit }

// account is what one connection holds of its transport's memory. Its streams'
// buffers share it, whose users are goroutines of their own.
type account struct {
	memory   *Memory      // the transport's, nil for one without limit
	toSend   atomic.Int64 // bytes of blocks kept for sending
	received atomic.Int64 // likewise, for reading; and those of datagrams, both ways
	counted  atomic.Int64 // how much of both memory knows of; accountClosed at the end

	unsent  atomic.Int64 // bytes that streams' writers wrote and that were never sent
	credit  atomic.Int64 // how many the peer allows (RFC 9000, Section 4.1)
	unacked atomic.Int64 // toSend may grow so far

	// unreported are the bytes that the application read from all streams and the
	// engine was not told of. It is told when they reach threshold, so that reading
	// a little from many streams still opens the connection's window in time.
	unreported, threshold atomic.Int64

	// relieved is how far the window we grant was moved since half of it was
	// consumed: see connFlow.relieve. It is the engine's alone.
	relieved uint64
}

const (
	// accountStep is in what steps a connection counts, in bytes: most requests
	// need less, and do not touch what all connections share.
	accountStep = 16 << 10
	// accountClosed is the value of counted when the connection is over.
	accountClosed = -1
)

// addUnsent counts n more bytes that were written and not sent, or less.
func (a *account) addUnsent(n int64) {
	if a != nil && n != 0 {
		a.unsent.Add(n)
	}
}

// holdToSend counts n more bytes of blocks for sending, or less.
func (a *account) holdToSend(n int64) {
	if a != nil && n != 0 {
		a.toSend.Add(n)
		a.update(n)
	}
}

// holdReceived does so for what was received.
func (a *account) holdReceived(n int64) {
	if a != nil && n != 0 {
		a.received.Add(n)
		a.update(n)
	}
}

// full reports whether no connection has memory left.
func (a *account) full() bool { return a != nil && a.memory.full() }

// held returns how many bytes the connection holds.
func (a *account) held() int64 { return a.toSend.Load() + a.received.Load() }

// update tells the memory of a change, if it is worth it.
func (a *account) update(change int64) {
	if a.memory == nil {
		return
	}
	counted, held := a.counted.Load(), a.held()
	if change > 0 && held <= counted || change < 0 && held >= counted-accountStep {
		return
	}
	m, n := a.memory, (held+accountStep-1)/accountStep*accountStep
	used := m.used.Load()
	if change < 0 && used < m.limit/2 && held >= counted-2*accountStep {
		return // memory is plenty, and soon it will be more again
	}
	if used+n-counted > m.limit {
		n = held
	}
	a.count(n)
}

// count makes the memory know of so many bytes. Others may be doing so at the same
// time; the next change brings right what one of them has missed.
func (a *account) count(n int64) {
	old := a.counted.Load()
	if old != accountClosed && old != n && a.counted.CompareAndSwap(old, n) {
		a.memory.used.Add(n - old)
	}
}

// rest gives back what is only counted in advance.
func (a *account) rest() {
	if a.memory != nil && a.held() == 0 {
		a.count(0)
	}
}

// close gives everything back: what a reader has not read yet of a connection that
// is over is the application's.
func (a *account) close() {
	if old := a.counted.Swap(accountClosed); old != accountClosed && a.memory != nil {
		a.memory.used.Add(-old)
	}
}

// unsentLimit returns how many bytes a stream may have that were never sent, of
// which it has some, and for as many as credit the peer's limit for it has room.
func (a *account) unsentLimit(unsent, credit int64) int64 {
	all := a.unsent.Load()
	limit := min(maxStreamUnsent, maxConnUnsent-all, credit, a.credit.Load()-all+unsent)
	return max(limit, minUnsent)
}

// spare returns how many bytes more the connection may hold for sending.
func (a *account) spare() int64 {
	spare := a.unacked.Load() - a.toSend.Load()
	if a.memory != nil {
		spare = min(spare, a.memory.share()-a.held())
	}
	return spare
}

// largestWindow returns how far a flow control window may grow now, which was
// configured to grow from initial to limit: not beyond the connection's share.
func (a *account) largestWindow(initial, limit uint64) uint64 {
	share := max(a.memory.share(), 0)
	return min(limit, max(initial, uint64(share)))
}
