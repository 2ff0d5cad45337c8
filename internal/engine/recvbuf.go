package engine

import (
	"io"
	"sync"

	"github.com/godwit-quic/godwit/internal/wire"
)

// maxStreamGaps bounds the disjoint ranges a stream's receive buffer keeps. A
// peer that sends every other byte would otherwise make each insertion and
// the memory for it grow without end (RFC 9000, Section 21.6 speaks of such
// fragmentation attacks). Real networks lose far fewer separate pieces of one
// flow control window.
const maxStreamGaps = 1000

// RecvBuffer holds the bytes that arrived on a stream and were not yet read.
// The engine inserts, one other goroutine may read; both only hold the lock
// to look up blocks and to move the marks.
type RecvBuffer struct {
	mu     sync.Mutex
	data   blocks
	got    rangeSet  // received bytes above ready
	read   uint64    // offset of the next byte Read returns
	ready  uint64    // bytes below are contiguous and may be read
	size   uint64    // what the peer sent in all, when sized
	cut    *earlyEnd // nil while reading may go on to the FIN
	notify uint64    // consumed bytes at which the engine wants to be told
	shared *account  // the connection's
	sized  bool
	fin    bool // reading ends at size
	reader bool // Read is copying: blocks stay
}

// earlyEnd is where reading ends with an error; at offset 0 it ends at once.
type earlyEnd struct {
	at  uint64
	err error
}

// failed reports whether reading ended at once; the lock is held.
func (b *RecvBuffer) failed() bool { return b.cut != nil && b.cut.at == 0 }

// Read takes the next bytes in order. It returns 0 and nil when there are
// none now, io.EOF at the end of the stream, and the error that ended it
// otherwise: a *StreamError after RESET_STREAM or the connection's error. It
// may be called by any one goroutine at a time.
func (b *RecvBuffer) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	b.reader = true
	for n < len(p) && !b.failed() && b.read+uint64(n) < b.available() {
		off := b.read + uint64(n)
		src := b.data.at(off, false)
		src = src[:min(uint64(len(src)), b.available()-off)]
		b.mu.Unlock()
		n += copy(p[n:], src) // nobody writes below ready
		b.mu.Lock()
	}
	b.reader = false
	if b.failed() {
		b.drop()
		b.mu.Unlock()
		return 0, b.cut.err
	}
	b.advance(b.read + uint64(n))
	switch {
	case n > 0:
	case b.cut != nil && b.read >= b.cut.at:
		err = b.cut.err
	case b.fin && b.read == b.size:
		err = io.EOF
	}
	b.mu.Unlock()
	return n, err
}

// Err returns the error with which Read will end before the end of the stream,
// perhaps after more bytes, or nil. Any goroutine may call it.
func (b *RecvBuffer) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut == nil {
		return nil
	}
	return b.cut.err
}

// Discarded returns how many bytes the peer has sent on the stream that will never
// be read. known is false while that may change: reading goes on, or the stream's
// final size is not known (RFC 9000, Section 4.5). EventStreamReadable tells of
// the change. Any goroutine may call it.
func (b *RecvBuffer) Discarded() (n uint64, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.sized || !b.failed() && !b.readAll() {
		return 0, false
	}
	return b.size - b.read, true
}

// setSize tells the final size of the stream.
func (b *RecvBuffer) setSize(size uint64) {
	b.mu.Lock()
	b.size, b.sized = size, true
	b.mu.Unlock()
}

// Consumed reports whether the engine should be told (Conn.StreamConsumed)
// that bytes were read: enough for a flow control update, or the last.
func (b *RecvBuffer) Consumed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read >= b.notify || b.readAll() ||
		b.shared.unreported.Load() >= b.shared.threshold.Load()
}

// Buffered returns how many bytes can be read now.
func (b *RecvBuffer) Buffered() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.available() - b.read)
}

// readable returns the offsets from and to which bytes can be read now.
func (b *RecvBuffer) readable() (from, to uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read, b.available()
}

// available returns up to where bytes may be read; the lock is held.
func (b *RecvBuffer) available() uint64 {
	if b.cut != nil {
		return max(min(b.ready, b.cut.at), b.read)
	}
	return b.ready
}

// readAll reports whether the application has read all it will get; the lock
// is held.
func (b *RecvBuffer) readAll() bool {
	return b.reached(b.read)
}

// advance moves the read mark; the lock is held.
func (b *RecvBuffer) advance(to uint64) {
	b.shared.unreported.Add(int64(to - b.read))
	b.read = to
	before := b.data.held()
	if b.read == b.ready && len(b.got) == 0 || b.readAll() {
		b.data.releaseAll(b.read)
		b.got = b.got[:0]
	} else {
		b.data.release(b.read)
	}
	b.shared.holdReceived(b.data.held() - before)
}

// drop frees everything stored; the lock is held.
func (b *RecvBuffer) drop() {
	if !b.reader {
		before := b.data.held()
		b.data.releaseAll(b.read)
		b.shared.holdReceived(b.data.held() - before)
		b.got = nil
	}
}

// insert stores data at offset off. It reports whether there is something new
// to read, and false for ok when the pieces are too many. The caller has
// checked flow control and the final size.
func (b *RecvBuffer) insert(off uint64, data []byte, fin bool) (readable, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	end := off + uint64(len(data))
	if fin && !b.fin {
		b.fin, b.size, b.sized = true, end, true
		readable = b.ready == end
	}
	if b.cut != nil && end > b.cut.at { // or failed
		end = max(off, b.cut.at)
		data = data[:end-off]
	}
	if end <= b.ready || b.readAll() {
		return readable, true
	}
	if off < b.ready {
		data, off = data[b.ready-off:], b.ready
	}
	before := b.data.held()
	for at := off; at < end; {
		n := copy(b.data.at(at, true), data)
		data, at = data[n:], at+uint64(n)
	}
	b.shared.holdReceived(b.data.held() - before)
	if off == b.ready && len(b.got) == 0 {
		b.ready = end // in order and nothing waits: no range needed
		return true, true
	}
	b.got.add(off, end)
	if off == b.ready {
		b.ready = b.got[0].end
		b.got = append(b.got[:0], b.got[1:]...)
		readable = true
	}
	return readable, len(b.got) <= maxStreamGaps
}

// consumed returns how much was read so far and sets when to be told next.
func (b *RecvBuffer) consumed() (read uint64, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read, b.readAll()
}

// setNotify makes Consumed true once the read mark reaches off.
func (b *RecvBuffer) setNotify(off uint64) {
	b.mu.Lock()
	b.notify = off
	b.mu.Unlock()
}

// received reports whether all bytes up to the FIN arrived.
func (b *RecvBuffer) received() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reached(b.ready)
}

// reached reports whether reading ends at off or before; the lock is held.
func (b *RecvBuffer) reached(off uint64) bool {
	return b.fin && off == b.size || b.cut != nil && !b.failed() && off >= b.cut.at
}

// fail ends reading with err unless everything was read or an error is set,
// and returns how far reading got.
func (b *RecvBuffer) fail(err error) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.failed() && !b.readAll() {
		b.cut = &earlyEnd{0, err}
		b.drop()
	}
	return b.read
}

// failAt makes reading end with err at offset cut unless it has ended at once before,
// and returns how far reading got.
func (b *RecvBuffer) failAt(cut uint64, err error) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.failed() {
		b.cut = &earlyEnd{cut, err}
	}
	return b.read
}

// failAfterReceived ends reading with err after what has arrived in order: the
// connection is over, what the peer said before is not.
func (b *RecvBuffer) failAfterReceived(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed() || b.reached(b.ready) {
		return
	}
	b.cut = &earlyEnd{b.ready, err}
}

// resetError is what Read returns after RESET_STREAM.
func resetError(id wire.StreamID, code uint64) error {
	return &StreamError{ID: id, Code: code, Remote: true}
}
