package streambuf

import "sync"

// MaxGaps bounds the disjoint ranges a stream's receive buffer keeps. A
// peer that sends every other byte would otherwise make each insertion and
// the memory for it grow without end (RFC 9000, Section 21.6 speaks of such
// fragmentation attacks). Real networks lose far fewer separate pieces of one
// flow control window.
const MaxGaps = 1000

// RecvBuffer holds the bytes that arrived on a stream and were not yet read. It is the
// engine's end: one goroutine may call its methods.
type RecvBuffer struct{ recvState }

// recvState is what both ends of a RecvBuffer see.
type recvState struct {
	mu      sync.Mutex
	data    blocks
	pieces  *fragments // what blocks are not worth having of what is above ready
	got     RangeSet   // received bytes above ready
	read    uint64     // offset of the next byte Read returns
	ready   uint64     // bytes below are contiguous and may be read
	size    uint64     // what the peer sent in all, when sized
	cut     *earlyEnd  // nil while reading may go on to the FIN
	notify  uint64     // consumed bytes at which the engine wants to be told
	account *Account   // the connection's
	sized   bool
	fin     bool // reading ends at size
	reader  bool // Read is copying: blocks stay
}

// Init makes b, which is new, an empty buffer of the account's connection. It must be
// called before any other method.
func (b *RecvBuffer) Init(account *Account) { b.account = account }

// Reader returns the application's end.
func (b *RecvBuffer) Reader() *Reader { return (*Reader)(b) }

// Recycle gives all memory back and makes b as it was before Init. Nobody may use
// either end any more.
func (b *RecvBuffer) Recycle() {
	b.drop()
	list := b.data.keep()
	*b = RecvBuffer{}
	b.data.list = list
}

// earlyEnd is where reading ends with an error; at offset 0 it ends at once.
type earlyEnd struct {
	at  uint64
	err error
}

// failed reports whether reading ended at once; the lock is held.
func (b *recvState) failed() bool { return b.cut != nil && b.cut.at == 0 }

// SetSize tells the final size of the stream.
func (b *RecvBuffer) SetSize(size uint64) {
	b.mu.Lock()
	b.size, b.sized = size, true
	b.mu.Unlock()
}

// Readable returns the offsets from and to which bytes can be read now.
func (b *RecvBuffer) Readable() (from, to uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read, b.available()
}

// available returns up to where bytes may be read; the lock is held.
func (b *recvState) available() uint64 {
	if b.cut != nil {
		return max(min(b.ready, b.cut.at), b.read)
	}
	return b.ready
}

// readAll reports whether the application has read all it will get; the lock
// is held.
func (b *recvState) readAll() bool {
	return b.reached(b.read)
}

// advance moves the read mark; the lock is held.
func (b *recvState) advance(to uint64) {
	b.account.AddRead(to - b.read)
	b.read = to
	before := b.held()
	if b.read == b.ready && len(b.got) == 0 || b.readAll() {
		b.data.freeAll(b.read, b.account.pool)
		b.got, b.pieces = b.got[:0], nil
	} else {
		b.data.free(b.read, b.account.pool)
	}
	b.account.holdReceived(b.held() - before)
}

// held returns how many bytes of memory are kept.
func (b *recvState) held() int64 { return b.data.held() + b.pieces.held() }

// drop frees everything stored; the lock is held.
func (b *recvState) drop() {
	if !b.reader {
		before := b.held()
		b.data.freeAll(b.read, b.account.pool)
		b.got, b.pieces = nil, nil
		b.account.holdReceived(b.held() - before)
	}
}

// Insert stores data at offset off. It reports whether there is something new
// to read, and false for ok when the pieces are too many. The caller has
// checked flow control and the final size.
func (b *RecvBuffer) Insert(off uint64, data []byte, fin bool) (readable, ok bool) {
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
	if off > b.ready && b.got.Contiguous(off) >= end {
		return readable, true
	}
	before := b.held()
	b.keep(off, data)
	if off == b.ready && len(b.got) == 0 {
		b.ready = end // in order and nothing waits: no range needed
		readable = true
	} else if b.got.Add(off, end); off == b.ready {
		b.ready = b.got[0].End
		b.got = append(b.got[:0], b.got[1:]...)
		readable = true
		if b.pieces != nil {
			b.uniteBelow(b.ready)
		}
	}
	b.account.holdReceived(b.held() - before)
	return readable, len(b.got) <= MaxGaps
}

// keep stores bytes of which none was read. The lock is held.
func (b *recvState) keep(off uint64, data []byte) {
	if off > b.ready && (len(data) < maxPieces || b.pieces != nil) {
		b.keepPieces(off, data)
		return
	}
	for len(data) > 0 {
		n := copy(b.data.grow(off, b.account.pool), data)
		data, off = data[n:], off+uint64(n)
	}
}

// Progress returns how much was read so far, and whether that is all there will be.
func (b *RecvBuffer) Progress() (read uint64, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read, b.readAll()
}

// SetNotify makes Reader.Consumed true once the read mark reaches off.
func (b *RecvBuffer) SetNotify(off uint64) {
	b.mu.Lock()
	b.notify = off
	b.mu.Unlock()
}

// Received reports whether all bytes up to the FIN arrived.
func (b *RecvBuffer) Received() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reached(b.ready)
}

// reached reports whether reading ends at off or before; the lock is held.
func (b *recvState) reached(off uint64) bool {
	return b.fin && off == b.size || b.cut != nil && !b.failed() && off >= b.cut.at
}

// Fail ends reading with err unless everything was read or an error is set,
// and returns how far reading got.
func (b *RecvBuffer) Fail(err error) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.failed() && !b.readAll() {
		b.cut = &earlyEnd{0, err}
		b.drop()
	}
	return b.read
}

// FailAt makes reading end with err at offset cut unless it has ended at once before,
// and returns how far reading got.
func (b *RecvBuffer) FailAt(cut uint64, err error) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.failed() {
		b.cut = &earlyEnd{cut, err}
	}
	return b.read
}

// FailAfterReceived ends reading with err after what has arrived in order: the
// connection is over, what the peer said before is not.
func (b *RecvBuffer) FailAfterReceived(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed() || b.reached(b.ready) {
		return
	}
	b.cut = &earlyEnd{b.ready, err}
}
