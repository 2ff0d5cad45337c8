package port

import (
	"testing"

	"github.com/godwit-quic/godwit/quic/event"
)

// A connection that registers to wait for room when those who waited have just been told
// of it is told as well: connections live on other loops than the one that tells.
func TestRoomBeforeWaiting(t *testing.T) {
	h := open(t, Config{})
	client, server := h.pair()
	for _, handle := range []uint32{client, server} {
		c := h.port.find(handle).(*conn)
		event.Run(c.q, func(event.Turn) { // it has looked for room, and there was none; now there is
			c.late.Push([]byte("late"), 4)
			c.await()
		})
		if g := h.want(EvDatagram, handle); string(g.payload) != "late" {
			t.Errorf("%q", g.payload)
		}
	}
}

// Likewise if the lane that reads forgets that somebody waits, as it takes the register,
// while another one begins to.
func TestWaitingWhileTold(t *testing.T) {
	h := open(t, Config{})
	client, _ := h.pair()
	c := h.port.find(client).(*conn)
	e := &h.port.ev
	h.keep = true // the ring stays as full as it gets
	for e.hasBulk(maxDatagram) {
		h.port.tell(record{typ: uint8(EvError), conn: client, payload: make([]byte, maxDatagram)})
	}
	registered := make(chan struct{})
	event.Run(c.q, func(event.Turn) {
		e.hasBulk(maxDatagram)
		e.resume() // of another lane, for an earlier wish
		c.late.Push([]byte("late"), 4)
		c.await()
		close(registered)
	})
	<-registered
	h.keep = false
	if g := h.want(EvDatagram, client); string(g.payload) != "late" {
		t.Errorf("%q", g.payload)
	}
}
