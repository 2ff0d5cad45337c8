//go:build !race

package port

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// TestChangedWhileRead: a thread of the host's that changes commands while they are read
// spoils them and what belongs to them, and makes nothing panic. It is a race by intent, of
// which the race detector would tell.
func TestChangedWhileRead(t *testing.T) {
	for seed := range uint64(20) {
		h := open(t, Config{Commands: MinRing})
		client, server := h.pair("protocol", "h3", "webtransport", "1")
		clear(h.mem.ring(offCommands, offCommandSize)[:h.head]) // no address may come of it
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			r := rand.New(rand.NewPCG(seed, 2))
			ring := h.mem.ring(offCommands, offCommandSize)
			for n := 0; ; n++ {
				ring[r.IntN(len(ring))] ^= 1 << r.IntN(8)
				if n%64 == 0 {
					select {
					case <-stop:
						return
					default:
						runtime.Gosched()
					}
				}
			}
		}()
		r := rand.New(rand.NewPCG(seed, 3))
		open := func() bool { return atomic.LoadUint32(h.mem.u32(offState)) == stateOpen }
		for n := 0; n < 3000 && open(); n++ {
			if !h.tryWrite(Command(3+r.IntN(17)), uint8(r.IntN(32)), [2]uint32{client, server}[r.IntN(2)], uint32(r.IntN(6)), garbage(r)) {
				runtime.Gosched()
			}
			h.commit()
			atomic.StoreUint32(h.mem.u32(offEventTail), atomic.LoadUint32(h.mem.u32(offEventHead)))
		}
		close(stop)
		<-stopped
		if text := string(h.mem[offReplyText : offReplyText+*h.mem.u32(offReplyLength)]); !open() && strings.HasPrefix(text, "panic") {
			t.Fatal(text)
		}
	}
}

// tryWrite is write that gives up where there is no room.
func (h *host) tryWrite(typ Command, flags uint8, conn, id uint32, payload []byte) bool {
	ring := h.mem.ring(offCommands, offCommandSize)
	size := recordSize(uint32(len(payload)))
	free := uint32(len(ring)) - (h.head - atomic.LoadUint32(h.mem.u32(offCommandTail)))
	at := h.head & uint32(len(ring)-1)
	if run := uint32(len(ring)) - at; run < size {
		if free < run {
			return false
		}
		filler := record{typ: skip}
		filler.putHeader(ring[at:], run-headerSize)
		h.head += run
		return true
	}
	if free < size {
		return false
	}
	r := record{typ: uint8(typ), flags: flags, conn: conn, id: id}
	r.putHeader(ring[at:], uint32(len(payload)))
	copy(ring[at+headerSize:], payload)
	h.head += size
	return true
}
