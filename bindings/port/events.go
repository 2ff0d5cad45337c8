package port

import (
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// events is the ring of what the host is told. Loops and other goroutines write to it, one
// at a time. None waits for the host: events that find no room wait in memory, in their
// order, and what could be much, bytes of streams and datagrams, is not put here at all
// while less than a quarter of the ring is free.
type events struct {
	mu      sync.Mutex
	mem     memory
	host    Host
	ring    []byte
	head    uint32 // what the host sees of it
	waiting []byte // records that found no room
	begun   int    // bytes of waiting that have found some
	closed  bool   // nothing is written any more

	unheard atomic.Bool // there are events since the host was woken
	hungry  atomic.Bool // somebody waits for room; of use with starved
}

const (
	// bulkReserve is the part of the ring that bytes of streams and datagrams leave free.
	bulkReserve = 4
	// maxBulk is how many bytes of a stream an event has at most: more saves nothing, and
	// would make the others wait.
	maxBulk = 64 << 10
	// minBulk is for how many it is worth beginning one.
	minBulk = 4 << 10
	// maxBacklog is how many bytes of small events may wait for a host that does not take
	// any. Connections that bring more are closed.
	maxBacklog = 16 << 20
)

func (e *events) init(mem memory, host Host) {
	e.mem, e.host = mem, host
	e.ring = mem.ring(offEvents, offEventSize)
}

// free returns how many bytes of the ring are.
func (e *events) free() uint32 {
	return uint32(len(e.ring)) - (e.head - atomic.LoadUint32(e.mem.u32(offEventTail)))
}

// place returns where a record of size bytes can begin, after a skip record if it must
// have one, and leave a number of bytes free; nil if there is no room. The lock is held.
func (e *events) place(size, leave uint32) []byte {
	free := e.free()
	if free > uint32(len(e.ring)) {
		return nil // the host's tail is beyond what there is
	}
	at := e.head & uint32(len(e.ring)-1)
	run := uint32(len(e.ring)) - at
	if run >= size {
		if free < size+leave {
			return nil
		}
		return e.ring[at : at+min(run, free-leave)]
	}
	if free < run+size+leave {
		return nil
	}
	filler := record{typ: skip}
	filler.putHeader(e.ring[at:], run-headerSize)
	e.publish(run)
	return e.ring[:free-run-leave]
}

// publish shows the host n bytes more. The lock is held.
func (e *events) publish(n uint32) {
	e.head += n
	atomic.StoreUint32(e.mem.u32(offEventHead), e.head)
	if !e.unheard.Load() {
		e.unheard.Store(true)
	}
}

// wrote counts an event. The lock is held.
func (e *events) wrote() { atomic.AddUint64(e.mem.u64(offEventCount), 1) }

// put tells the host something.
func (e *events) put(r record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b := e.begin(uint32(len(r.payload))); b != nil {
		r.putHeader(b, uint32(len(r.payload)))
		copy(b[headerSize:], r.payload)
		e.publish(recordSize(uint32(len(r.payload))))
		e.wrote()
	} else if !e.closed {
		e.wait(r)
	}
}

// wait keeps a record that has found no room. Those in front that have found some are let
// go of once they are the greater part: a host that is always behind, and never by much,
// costs no more memory than what waits. The lock is held.
func (e *events) wait(r record) {
	if e.begun > len(e.waiting)/2 {
		n := copy(e.waiting, e.waiting[e.begun:])
		e.waiting, e.begun = e.waiting[:n], 0
	}
	e.waiting = appendRecord(e.waiting, r)
}

// putFields is put with fields as the payload.
func (e *events) putFields(r record, fields []qpack.Field) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := uint32(fieldsSize(fields))
	if b := e.begin(n); b != nil {
		r.putHeader(b, n)
		putFields(b[headerSize:], fields)
		e.publish(recordSize(n))
		e.wrote()
	} else if !e.closed {
		r.payload = appendFields(nil, fields)
		e.wait(r)
	}
}

// begin returns room for a record whose payload has n bytes, nil if it has to wait. Then
// the host has been asked for room, and the record must be appended to those that wait,
// before the lock, which is held, is given back: whoever takes it may be no reader of
// commands, and nobody else would look after them if the host had made room before it was
// asked.
func (e *events) begin(n uint32) []byte {
	for !e.closed {
		if e.serve() {
			if b := e.place(recordSize(n), 0); b != nil {
				return b
			}
		}
		if !e.starve() {
			return nil
		}
	}
	return nil
}

// serve moves what waits to the ring, and reports whether nothing is left: if not, the
// host must be asked for room. The lock is held.
func (e *events) serve() bool {
	for e.begun < len(e.waiting) {
		_, n := consumeRecord(e.waiting[e.begun:])
		b := e.place(n, 0)
		if b == nil {
			return false
		}
		copy(b, e.waiting[e.begun:e.begun+int(n)])
		e.publish(n)
		e.wrote()
		e.begun += int(n)
	}
	e.waiting, e.begun = nil, 0
	return true
}

// fill tells the host of bytes of a stream, at most max of them, which read puts into the
// ring. read returns how many those are, and may set the record's flags; it must not tell
// the host of anything. fill returns false without calling it if there is no room; then
// resumable tells when there is.
func (e *events) fill(r record, max int, read func(r *record, p []byte) int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.bulk(max)
	if b == nil {
		return false
	}
	b = b[:min(len(b), headerSize+max, headerSize+maxBulk)]
	n := uint32(read(&r, b[headerSize:]))
	if n == 0 && r.flags&flagFin == 0 {
		return true
	}
	r.putHeader(b, n)
	e.publish(recordSize(n))
	e.wrote()
	return true
}

// bulk returns room for a record of some of max bytes, nil if there is not enough. The
// lock is held.
func (e *events) bulk(max int) []byte {
	reserve := uint32(len(e.ring) / bulkReserve)
	size := recordSize(uint32(min(max, minBulk)))
	for {
		if !e.closed && e.serve() {
			if b := e.place(size, reserve); b != nil {
				// A whole record, with what fills it up.
				return b[:len(b)&^(recordAlignment-1)]
			}
		}
		if e.closed || !e.starve() {
			return nil
		}
	}
}

// hasBulk reports whether there is room for n bytes of a stream or a datagram. Without, it
// asks the host for some.
func (e *events) hasBulk(n int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bulk(n) != nil
}

// putBulk is put for what is left out if there is no room, and reports whether there was.
func (e *events) putBulk(r record) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := uint32(len(r.payload))
	b := e.bulk(len(r.payload))
	if uint32(len(b)) < recordSize(n) {
		return false
	}
	r.putHeader(b, n)
	copy(b[headerSize:], r.payload)
	e.publish(recordSize(n))
	e.wrote()
	return true
}

// starve asks the host to say when half of the ring is free, and reports whether it is
// already. The lock is held.
func (e *events) starve() (already bool) {
	e.hungry.Store(true)
	atomic.StoreUint32(e.mem.u32(offStarved), 1)
	half := uint32(len(e.ring) / 2)
	free := e.free()
	return free >= half && free <= uint32(len(e.ring)) && atomic.CompareAndSwapUint32(e.mem.u32(offStarved), 1, 0)
}

// asks is starve for who has just registered to wait for room: the host may have said that
// there is some, and been heard, between his look and that. already is false once nothing
// is written any more.
func (e *events) asks() (already bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.closed && e.starve()
}

// resumable reports whether somebody waits for room, and there is.
func (e *events) resumable() bool {
	return e.hungry.Load() && atomic.LoadUint32(e.mem.u32(offStarved)) == 0
}

// resume moves what waits, and is to be called before those who wait for room try again.
func (e *events) resume() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hungry.Store(false)
	for !e.closed && !e.serve() && e.starve() {
	}
}

// backlog returns how many bytes of events wait for room.
func (e *events) backlog() int {
	if !e.hungry.Load() {
		return 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.waiting) - e.begun
}

// wake wakes the host if there are events that it was not woken for, unless it was, and
// has not looked since.
func (e *events) wake() {
	if e.unheard.Load() && e.unheard.Swap(false) {
		e.wakeNow()
	}
}

// wakeNow is wake without looking.
func (e *events) wakeNow() {
	if atomic.SwapUint32(e.mem.u32(offWoken), 1) == 0 {
		atomic.AddUint64(e.mem.u64(offWakes), 1)
		e.host.Wake()
	}
}

// close ends writing.
func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed, e.waiting, e.begun = true, nil, 0
}
