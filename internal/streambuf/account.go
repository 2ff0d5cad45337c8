package streambuf

import "sync/atomic"

// What waits to be sent on a connection. A stream holds more than minUnsent only
// if the peer lets it be sent: who grants no credit, or takes nothing, costs a
// block for each stream and not what an application has to say to it.
const (
	// MaxStreamUnsent is how many bytes not yet sent a stream takes from its writer
	// before Write asks it to wait: enough to fill several segmented sends while
	// the writer is scheduled again.
	MaxStreamUnsent = 512 << 10
	// MaxConnUnsent is the same for all streams of a connection together. One alone
	// gets half of it, n of them 1/(n+1) each.
	MaxConnUnsent = 1 << 20
	// minUnsent is what a stream may hold whatever the others do, so that none
	// waits for another one: a block.
	minUnsent = BlockSize
	// maxUnackedWindows is how many congestion windows of bytes a connection keeps
	// for the peer to acknowledge, beside MaxConnUnsent: what is in flight, and as
	// much again behind a packet that was lost.
	maxUnackedWindows = 2
)

// minShare is what a connection may keep for itself however short memory is, in bytes.
const minShare = 4 << 10

// Account is what one connection holds. Its buffers share it, so the engine and the
// goroutines of the application use it at the same time; any goroutine may.
type Account struct {
	pool     *Pool        // the endpoint's
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
}

// Init makes a the account of a connection that holds nothing and takes its memory from
// pool. It must be called before any other method.
func (a *Account) Init(pool *Pool) { a.pool = pool }

const (
	// AccountStep is in what steps a connection counts, in bytes: most requests
	// need less, and do not touch what all connections share.
	AccountStep = 16 << 10
	// accountClosed is the value of counted when the connection is over.
	accountClosed = -1
)

// addUnsent counts n more bytes that were written and not sent, or less.
func (a *Account) addUnsent(n int64) {
	if n != 0 {
		a.unsent.Add(n)
	}
}

// holdToSend counts n more bytes of blocks for sending, or less.
func (a *Account) holdToSend(n int64) {
	if n != 0 {
		a.toSend.Add(n)
		a.update(n)
	}
}

// holdReceived does so for what was received.
func (a *Account) holdReceived(n int64) {
	if n != 0 {
		a.received.Add(n)
		a.update(n)
	}
}

// full reports whether no connection has memory left.
func (a *Account) full() bool { return a.pool.Memory.full() }

// Held returns how many bytes the connection holds.
func (a *Account) Held() int64 { return a.toSend.Load() + a.received.Load() }

// update tells the memory of a change, if it is worth it.
func (a *Account) update(change int64) {
	if a.pool.Memory == nil {
		return
	}
	counted, held := a.counted.Load(), a.Held()
	if change > 0 && held <= counted || change < 0 && held >= counted-AccountStep {
		return
	}
	m, n := a.pool.Memory, (held+AccountStep-1)/AccountStep*AccountStep
	used := m.used.Load()
	if change < 0 && used < m.limit/2 && held >= counted-2*AccountStep {
		return // memory is plenty, and soon it will be more again
	}
	if used+n-counted > m.limit {
		n = held
	}
	a.count(n)
}

// count makes the memory know of so many bytes. Others may be doing so at the same
// time; the next change brings right what one of them has missed.
func (a *Account) count(n int64) {
	old := a.counted.Load()
	if old != accountClosed && old != n && a.counted.CompareAndSwap(old, n) {
		a.pool.Memory.used.Add(n - old)
	}
}

// Rest gives back what is only counted in advance, as a connection may that has been
// silent for a while.
func (a *Account) Rest() {
	if a.pool.Memory != nil && a.Held() == 0 {
		a.count(0)
	}
}

// Close gives everything back: what a reader has not read yet of a connection that
// is over is the application's.
func (a *Account) Close() {
	if old := a.counted.Swap(accountClosed); old != accountClosed && a.pool.Memory != nil {
		a.pool.Memory.used.Add(-old)
	}
}

// unsentLimit returns how many bytes a stream may have that were never sent, of
// which it has some, and for as many as credit the peer's limit for it has room.
func (a *Account) unsentLimit(unsent, credit int64) int64 {
	all := a.unsent.Load()
	limit := min(MaxStreamUnsent, MaxConnUnsent-all, credit, a.credit.Load()-all+unsent)
	return max(limit, minUnsent)
}

// spare returns how many bytes more the connection may hold for sending.
func (a *Account) spare() int64 {
	spare := a.unacked.Load() - a.toSend.Load()
	if a.pool.Memory != nil {
		spare = min(spare, a.pool.Memory.share()-a.Held())
	}
	return spare
}

// LargestWindow returns how far a flow control window may grow now, which was
// configured to grow from initial to limit: not beyond the connection's share.
func (a *Account) LargestWindow(initial, limit uint64) uint64 {
	share := max(a.pool.Memory.share(), 0)
	return min(limit, max(initial, uint64(share)))
}

// SetLimits tells the streams' writers how many new bytes the peer's limit for the
// connection allows (RFC 9000, Section 4.1), and how large the congestion window is.
func (a *Account) SetLimits(credit uint64, window int) {
	a.credit.Store(int64(credit))
	a.unacked.Store(MaxConnUnsent + maxUnackedWindows*int64(window))
}

// Count counts n bytes more, or less, that the application keeps elsewhere of what was
// received, and reports whether the connection holds no more than its share.
func (a *Account) Count(n int) (within bool) {
	a.holdReceived(int64(n))
	return a.Held() <= max(a.pool.Memory.share(), minShare)
}

// AddRead counts n bytes that the application read from a stream.
func (a *Account) AddRead(n uint64) { a.unreported.Add(int64(n)) }

// SetReportAfter has readers report once they have read so many bytes from all streams.
func (a *Account) SetReportAfter(n uint64) { a.threshold.Store(int64(n)) }

// ReportDue reports whether they have read as many.
func (a *Account) ReportDue() bool { return a.unreported.Load() >= a.threshold.Load() }

// Unreported returns how many bytes were read since TakeReport was called.
func (a *Account) Unreported() uint64 { return uint64(a.unreported.Load()) }

// TakeReport returns how many bytes were read since it was called before.
func (a *Account) TakeReport() uint64 { return uint64(a.unreported.Swap(0)) }
