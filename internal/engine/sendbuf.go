package engine

import "sync"

// sendBufferLimit is how many bytes not yet sent a stream takes from its
// writer before Write asks it to wait: enough to fill several segmented sends
// while the writer is scheduled again. Bytes in flight are bounded by the
// congestion window and the peer's flow control on top.
const sendBufferLimit = 512 << 10

// SendBuffer holds the bytes written to a stream until the peer acknowledged
// them. One goroutine writes, the engine takes; the lock is held only to look
// up blocks and to move the marks.
type SendBuffer struct {
	mu      sync.Mutex
	data    blocks
	end     uint64 // offset of the next byte to be written
	sent    uint64 // bytes below were sent at least once
	err     error  // ends writing
	mark    uint64 // bytes below survive a reset
	keep    uint64 // with err: bytes below are still wanted
	final   uint64 // with reset: bytes from here on will never be sent
	fin     bool   // no byte will follow end
	reset   bool
	blocked bool // a writer found the buffer full and waits
	awaited bool // somebody waits until all was sent
	writer  bool // Write is copying: blocks stay
}

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

// WriteAll is Write without the limit, for the last bytes of a short message.
func (b *SendBuffer) WriteAll(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.append(p, true)
}

// WriteLast is WriteAll and CloseWrite in one.
func (b *SendBuffer) WriteLast(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.append(p, true)
	if err == nil {
		b.fin = true
	}
	return n, err
}

// append copies p in; the lock is held, but not while copying.
func (b *SendBuffer) append(p []byte, all bool) (n int, err error) {
	if err := b.writeError(); err != nil {
		return 0, err
	}
	room := len(p)
	if !all {
		room = min(room, sendBufferLimit-int(b.end-b.sent))
		b.blocked = room < len(p)
	}
	for n < room && b.err == nil {
		dst := b.data.at(b.end, true)
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
	b.mark = b.end
	b.mu.Unlock()
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
	return b.end - min(b.end, b.final), true
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
// should be woken: when half of the buffer is free again, or for AwaitSent.
func (b *SendBuffer) setSent(off uint64) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = max(b.sent, off)
	if b.awaited && b.sent == b.end {
		b.awaited, b.blocked = false, false
		return true
	}
	if b.blocked && b.end-b.sent <= sendBufferLimit/2 {
		b.blocked = false
		return true
	}
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

// release frees the bytes below off, which the peer acknowledged.
func (b *SendBuffer) release(off uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if off == b.end && !b.writer {
		b.data.releaseAll(off)
	} else {
		b.data.release(off)
	}
}

// fail ends writing with err and frees everything.
func (b *SendBuffer) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.keep = 0
	b.drop()
}

// failKeeping ends writing with err because of a reset; the bytes below keep stay
// until they are acknowledged, and those from final on, which is not below, are
// not sent.
func (b *SendBuffer) failKeeping(keep, final uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.keep = keep
		b.final, b.reset = final, true
		b.err = err
		b.drop()
	}
}

// drop frees everything stored unless some of it is wanted; the lock is held.
func (b *SendBuffer) drop() {
	if !b.writer && b.keep == 0 {
		b.data.releaseAll(b.end)
	}
}
