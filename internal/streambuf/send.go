package streambuf

import "sync"

// SendBuffer holds the bytes written to a stream until the peer acknowledged
// them. It is the engine's end: one goroutine may call its methods. Those that report
// wake do so when whoever writes, and was told to wait, should try again.
type SendBuffer struct{ sendState }

// sendState is what both ends of a SendBuffer see.
type sendState struct {
	mu      sync.Mutex
	data    blocks
	account *Account // the connection's
	end     uint64   // offset of the next byte to be written
	sent    uint64   // bytes below were sent at least once
	limit   uint64   // of what may be sent: the peer's, and after a reset where the stream ends
	err     error    // ends writing
	mark    uint64   // bytes below survive a reset, and are kept in spite of err
	wakeAt  int32    // the writer waits until no more bytes are unsent, or for acknowledgments
	fin     bool     // no byte will follow end
	reset   bool
	awaited bool // somebody waits until all was sent
	writer  bool // Write is copying: blocks stay
}

// Init makes b, which is new, an empty buffer of the account's connection, from which
// the peer lets limit bytes be sent. It must be called before any other method.
func (b *SendBuffer) Init(account *Account, limit uint64) { b.account, b.limit = account, limit }

// Writer returns the application's end.
func (b *SendBuffer) Writer() *Writer { return (*Writer)(b) }

// Recycle gives all memory back and makes b as it was before Init. Nobody may use
// either end any more.
func (b *SendBuffer) Recycle() {
	b.drop()
	list := b.data.keep()
	*b = SendBuffer{}
	b.data.list = list
}

// Values of sendState.wakeAt that are no number of bytes.
const (
	notWaiting = 0
	forAcks    = -1 // the writer waits until the peer acknowledges something
)

// room returns how many bytes may be written, not above zero for none, and what a
// writer who has more should wait for. The lock is held.
func (b *sendState) room() (room int, wakeAt int32) {
	unsent := int64(b.end - b.sent)
	limit := b.account.unsentLimit(unsent, int64(b.limit)-int64(b.sent))
	spare := max(b.account.spare(), minUnsent-b.data.held())
	if spare < limit-unsent {
		return int(spare), forAcks
	}
	return int(limit - unsent), int32(limit / 2)
}

// ReliableSize returns up to where bytes survive a reset: see Writer.MarkReliable.
func (b *SendBuffer) ReliableSize() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mark
}

// Written returns how far the writer got.
func (b *SendBuffer) Written() (end uint64, fin bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end, b.fin
}

// AppendTo appends the bytes [off, off+n) to dst. They must be written and
// not yet acknowledged.
func (b *SendBuffer) AppendTo(dst []byte, off uint64, n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n > 0 {
		src := b.data.at(off)
		src = src[:min(len(src), n)]
		dst = append(dst, src...)
		off, n = off+uint64(len(src)), n-len(src)
	}
	return dst
}

// SetSent tells how far sending got and reports whether a waiting writer
// should be woken: when half of what it may have unsent is free again, or for
// AwaitSent.
func (b *SendBuffer) SetSent(off uint64) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if off > b.sent {
		if !b.ended() {
			b.account.addUnsent(-int64(off - b.sent))
		}
		b.sent = off
	}
	if b.awaited && b.sent == b.end {
		b.awaited, b.wakeAt = false, notWaiting
		return true
	}
	return b.wakeAt > 0 && b.end-b.sent <= uint64(b.wakeAt) && b.wake()
}

// SetLimit takes the peer's limit for the stream, and reports whether a waiting
// writer should be woken.
func (b *SendBuffer) SetLimit(limit uint64) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended() {
		return false
	}
	b.limit = limit
	return b.wakeAt > 0 && b.wake()
}

// wake reports whether a waiting writer has room enough to be woken, and notes what
// it waits for otherwise. The lock is held.
func (b *sendState) wake() bool {
	room, wakeAt := b.room()
	if room >= minUnsent/2 {
		b.wakeAt = notWaiting
		return true
	}
	b.wakeAt = wakeAt
	return false
}

// Acknowledge frees the bytes below off, which the peer acknowledged. It reports
// whether a waiting writer should be woken.
func (b *SendBuffer) Acknowledge(off uint64) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.data.held()
	if off == b.end && !b.writer {
		b.data.freeAll(off, b.account.pool)
	} else {
		b.data.free(off, b.account.pool)
	}
	b.account.holdToSend(b.data.held() - before)
	return b.wakeAt == forAcks && b.wake()
}

// Fail ends writing with err and frees everything.
func (b *SendBuffer) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish(err)
	b.mark = 0
	b.drop()
}

// FailKeeping ends writing with err because of a reset; the bytes that are marked
// as reliable stay until they are acknowledged, and those from final on, which is
// not below, are not sent.
func (b *SendBuffer) FailKeeping(final uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended() {
		b.limit, b.reset = final, true
		b.finish(err)
		b.drop()
	}
}

// ended reports whether writing has ended with an error. The lock is held.
func (b *sendState) ended() bool { return b.err != nil }

// finish ends writing with err, unless it has ended so before. The lock is held.
func (b *sendState) finish(err error) {
	if !b.ended() {
		b.err = err
		b.account.addUnsent(-int64(b.end - b.sent))
	}
}

// Forget frees everything: all that mattered was acknowledged.
func (b *SendBuffer) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mark = 0
	b.drop()
}

// drop frees everything stored unless some of it is wanted; the lock is held.
func (b *sendState) drop() {
	if !b.writer && b.mark == 0 {
		before := b.data.held()
		b.data.freeAll(b.end, b.account.pool)
		b.account.holdToSend(b.data.held() - before)
	}
}
