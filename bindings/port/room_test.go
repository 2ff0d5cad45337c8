package port

import (
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

// A reader is a reader of commands that sleeps, and has events that wait moved when the
// host says that there is room.
type reader struct {
	e     *events
	mem   memory
	tail  uint32
	rings int
}

func (r *reader) Wake()    {}
func (r *reader) Replied() {}

// consume takes all events that there are, and reports how many.
func (r *reader) consume() (n int) {
	ring, head := r.mem.ring(offEvents, offEventSize), atomic.LoadUint32(r.mem.u32(offEventHead))
	for r.tail != head {
		got, size := consumeRecord(ring[r.tail&uint32(len(ring)-1):])
		if r.tail += size; got.typ != skip {
			n++
		}
	}
	atomic.StoreUint32(r.mem.u32(offEventTail), r.tail)
	if atomic.CompareAndSwapUint32(r.mem.u32(offStarved), 1, 0) {
		r.rings++
		r.e.resume()
	}
	return n
}

// newReader returns one with rings of the least size.
func newReader(t *testing.T) *reader {
	t.Helper()
	words := make([]uint64, (HeaderSize+2*MinRing)/8)
	mem := memory(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8))
	if err := mem.format(MinRing, MinRing); err != nil {
		t.Fatal(err)
	}
	r := &reader{e: new(events), mem: mem}
	r.e.init(mem, r)
	return r
}

// A host that takes events as fast as they come, but never all, costs no more memory than
// what waits for it.
func TestAlwaysBehind(t *testing.T) {
	const rounds, most = 1000, 8
	r := newReader(t)
	filler := record{typ: uint8(EvError), payload: make([]byte, MinRing/8-headerSize)}
	put := func() {
		for range most {
			r.e.put(filler)
		}
	}
	put()
	r.e.put(filler) // more than there is room for, from now on
	told := 0
	for range rounds {
		put()
		told += r.consume()
		if r.e.backlog() == 0 {
			t.Fatal("nothing waits")
		}
	}
	if got, waited := cap(r.e.waiting), (most+1)*MinRing/8; got > 4*waited { // slices grow by doubling
		t.Errorf("%d bytes of memory for at most %d that waited", got, waited)
	}
	for more := r.consume(); more > 0; more = r.consume() {
		told += more
	}
	if want := (rounds+1)*most + 1; told != want {
		t.Errorf("%d events of %d were told", told, want)
	}
}

// An event that finds no room is told even if the host makes room as it is about to be asked:
// whoever puts it need not be who reads the host's commands, which may be asleep.
func TestRoomWhileAsking(t *testing.T) {
	const rounds = 20_000
	r := newReader(t)
	e, filler := r.e, record{typ: uint8(EvError), payload: make([]byte, MinRing/8-headerSize)}
	var round, put atomic.Int32
	go func() { // a lane that does not read
		for n := int32(1); n <= rounds; n++ {
			for round.Load() < n {
				runtime.Gosched()
			}
			e.put(filler)
			put.Store(n)
		}
	}()
	for n := int32(1); n <= rounds; n++ {
		for range 8 {
			e.put(filler)
		}
		round.Store(n)
		for n%16 == 0 && put.Load() < n { // here it is asked before
			runtime.Gosched()
		}
		for range n % 256 { // so that both meet at all moments
			_ = put.Load()
		}
		got := r.consume()
		for put.Load() < n {
			runtime.Gosched()
		}
		for got < 9 { // nobody but the host's making room has the last one moved
			more := r.consume()
			if got += more; more == 0 {
				t.Fatalf("round %d: %d events, %d wait", n, got, len(e.waiting)-e.begun)
			}
		}
	}
	if r.rings < rounds/16 {
		t.Errorf("the host was asked for room %d times", r.rings)
	}
}
