package loop

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// Of very many things in the mailbox a turn does a part, all are done in order, and
// the loop does not sleep before.
func TestDrainIsBounded(t *testing.T) {
	l := &Loop{start: time.Now()}
	const posts = 3*maxTurnItems + 1
	next := 0
	for i := range posts {
		l.mail.post(item{do: func() {
			if i != next {
				t.Fatalf("%d comes when %d should", i, next)
			}
			next++
		}})
	}
	for next < posts {
		before := next
		l.drain()
		if n := next - before; n == 0 || n > maxTurnItems {
			t.Fatalf("a turn does %d things, at most %d", n, maxTurnItems)
		}
		if next < posts && len(l.items) == 0 {
			t.Fatal("nothing is known of what is left")
		}
	}
	l.drain()
	if len(l.items) != 0 || !l.mail.park() {
		t.Error("something is left")
	}
}

// What has arrived is left for the next turn when it takes long.
func TestReceiveIsBounded(t *testing.T) {
	l := newLoop(nil, Config{})
	l.start = time.Now().Add(-time.Hour) // so that it is later than the bound
	msgs := make([]udp.Message, 2*datagramsPerLook)
	for i := range msgs {
		msgs[i] = udp.Message{Data: []byte{1}, Segment: 1}
	}
	if n := l.handleMessages(msgs, 1); n != datagramsPerLook {
		t.Errorf("%d messages were taken when the time was over, want %d", n, datagramsPerLook)
	}
	if n := l.handleMessages(msgs, l.clock().Add(time.Hour)); n != len(msgs) {
		t.Errorf("%d messages were taken, want all", n)
	}
}
