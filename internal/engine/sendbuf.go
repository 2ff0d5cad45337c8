package engine

import "sync"

// SendBuffer holds the bytes written to a stream until the peer acknowledged
// them. One goroutine writes, the engine takes; the lock is held only to look
// up blocks and to move the marks.
type SendBuffer struct {
	mu      sync.Mutex
	data    blocks
	account *account // the connection's; nil for a buffer on its own, in tests
	end     uint64   // offset of the next byte to be written
	sent    uint64   // bytes below were sent at least once
	limit   uint64   // of what may be sent: the peer's, and after a reset where the stream ends
	err     error    // ends writing
	mark    uint64   // bytes below survive a reset, and are kept in spite of err
	wakeAt  int32    // a writer waits until no more bytes are unsent, or for acknowledgments
	fin     bool     // no byte will follow end
	reset   bool
	awaited bool // somebody waits until all was sent
	writer  bool // Write is copying: blocks stay
}

// Values of SendBuffer.wakeAt that are no number of bytes.
const (
	notWaiting = 0
	forAcks    = -1 // the writer waits until the peer acknowledges something
)

// Write takes bytes of p as far as the limit allows and returns how many. A
// count below len(p) with no error means that the buffer is full;
// EventStreamWritable tells when it is worth trying again. The error is a
// *StreamError after STOP_SENDING or a reset, ErrWriteClosed after CloseWrite,
// or the connection's. It may be called by any one goroutine at a time.
func (b *SendBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.append(p, false)
	return n, err
}

// WriteLast is Write without the limit and CloseWrite in one, for the last bytes of
// a short message.
func (b *SendBuffer) WriteLast(p []byte) (int, error) { return b.writeLast(p, true) }

// TryWriteLast is Write, and CloseWrite if all of p was taken.
func (b *SendBuffer) TryWriteLast(p []byte) (int, error) { return b.writeLast(p, false) }

func (b *SendBuffer) writeLast(p []byte, all bool) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.append(p, all)
	if err == nil && n == len(p) {
		b.fin = true
	}
	return n, err
}

// Room returns how many bytes Write would take now.
func (b *SendBuffer) Room() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	room, _ := b.room()
	return max(room, 0)
}

// room returns how many bytes may be written, not above zero for none, and what a
// writer who has more should wait for. The lock is held.
func (b *SendBuffer) room() (room int, wakeAt int32) {
	unsent, limit, spare := int64(b.end-b.sent), int64(maxStreamUnsent), int64(maxStreamUnsent)
	if b.account != nil {
		limit = b.account.unsentLimit(unsent, int64(b.limit)-int64(b.sent))
		spare = max(b.account.spare(), minUnsent-b.data.held())
	}
	if spare < limit-unsent {
		return int(spare), forAcks
	}
	return int(limit - unsent), int32(limit / 2)
}

// append copies p in; the lock is held, but not while copying.
func (b *SendBuffer) append(p []byte, all bool) (n int, err error) {
	if err := b.writeError(); err != nil {
		return 0, err
	}
	room, wakeAt := len(p), int32(notWaiting)
	if !all {
		if room, wakeAt = b.room(); room >= len(p) {
			room, wakeAt = len(p), notWaiting
		}
	}
	b.wakeAt = wakeAt
	for n < room && b.err == nil {
		if n > 0 && !all && b.data.held() > 0 && b.account.full() {
			b.wakeAt = forAcks // others took at the same time what there was room for
			break
		}
		before := b.data.held()
		dst := b.data.at(b.end, true)
		b.account.holdToSend(b.data.held() - before)
		dst = dst[:min(len(dst), room-n)]
		b.writer = true
		b.mu.Unlock()
		copy(dst, p[n:]) // nobody reads at end or above
		b.mu.Lock()
		b.writer = false
		if b.err != nil {
			break
		}
		n += len(dst)
		b.end += uint64(len(dst))
	}
	b.account.addUnsent(int64(n))
	if b.err != nil {
		b.drop()
		return n, b.err
	}
	return max(n, 0), nil
}

func (b *SendBuffer) writeError() error {
	if b.err != nil {
		return b.err
	}
	if b.fin {
		return ErrWriteClosed
	}
	return nil
}

// CloseWrite marks the end of the stream: FIN goes out after the last byte.
// Closing twice is no error.
func (b *SendBuffer) CloseWrite() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.fin = true
	}
	return b.err
}

// MarkReliable makes what was written so far survive a later reset: see
// Stream.resetReady.
func (b *SendBuffer) MarkReliable() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended() {
		b.mark = b.end
	}
}

func (b *SendBuffer) reliableSize() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mark
}

// Unsent returns how many bytes were written that will never be sent, as the
// stream was reset by either side. known is false while it is not.
// EventStreamWritable tells of the change. Any goroutine may call it.
func (b *SendBuffer) Unsent() (n uint64, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.reset {
		return 0, false
	}
	return b.end - min(b.end, b.limit), true
}

// Err returns what ended writing, nil while it goes on.
func (b *SendBuffer) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// written returns how far the writer got.
func (b *SendBuffer) written() (end uint64, fin bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end, b.fin
}

// appendTo appends the bytes [off, off+n) to dst. They must be written and
// not yet acknowledged.
func (b *SendBuffer) appendTo(dst []byte, off uint64, n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n > 0 {
		src := b.data.at(off, false)
		src = src[:min(len(src), n)]
		dst = append(dst, src...)
		off, n = off+uint64(len(src)), n-len(src)
	}
	return dst
}

// setSent tells how far sending got and reports whether a waiting writer
// should be woken: when half of what it may have unsent is free again, or for
// AwaitSent.
func (b *SendBuffer) setSent(off uint64) (wake bool) {
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

// setMax takes the peer's limit for the stream, and reports whether a waiting
// writer should be woken.
func (b *SendBuffer) setMax(limit uint64) (wake bool) {
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
func (b *SendBuffer) wake() bool {
	room, wakeAt := b.room()
	if room >= minUnsent/2 {
		b.wakeAt = notWaiting
		return true
	}
	b.wakeAt = wakeAt
	return false
}

// AwaitSent returns how many bytes have not been sent yet, not even once. If there
// are any, EventStreamWritable tells when all of them have been. Any goroutine may
// call it.
func (b *SendBuffer) AwaitSent() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0
	}
	b.awaited = b.end > b.sent
	return int(b.end - b.sent)
}

// NothingSent reports whether no byte has been sent, not even once. Any goroutine may
// call it.
func (b *SendBuffer) NothingSent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent == 0
}

// release frees the bytes below off, which the peer acknowledged. It reports
// whether a waiting writer should be woken.
func (b *SendBuffer) release(off uint64) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.data.held()
	if off == b.end && !b.writer {
		b.data.releaseAll(off)
	} else {
		b.data.release(off)
	}
	b.account.holdToSend(b.data.held() - before)
	return b.wakeAt == forAcks && b.wake()
}

// fail ends writing with err and frees everything.
func (b *SendBuffer) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish(err)
	b.mark = 0
	b.drop()
}

// failKeeping ends writing with err because of a reset; the bytes that are marked
// as reliable stay until they are acknowledged, and those from final on, which is
// not below, are not sent.
func (b *SendBuffer) failKeeping(final uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended() {
		b.limit, b.reset = final, true
		b.finish(err)
		b.drop()
	}
}

// ended reports whether writing has ended with an error. The lock is held.
func (b *SendBuffer) ended() bool { return b.err != nil }

// finish ends writing with err, unless it has ended so before. The lock is held.
func (b *SendBuffer) finish(err error) {
	if !b.ended() {
		b.err = err
		b.account.addUnsent(-int64(b.end - b.sent))
	}
}

// forget frees everything: all that mattered was acknowledged.
func (b *SendBuffer) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mark = 0
	b.drop()
}

// drop frees everything stored unless some of it is wanted; the lock is held.
func (b *SendBuffer) drop() {
	if !b.writer && b.mark == 0 {
		before := b.data.held()
		b.data.releaseAll(b.end)
		b.account.holdToSend(b.data.held() - before)
	}
}
