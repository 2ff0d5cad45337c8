package loop

import (
	"sync"
	"testing"
)

func TestMailboxWakesOnce(t *testing.T) {
	var m mailbox
	it := item{do: func() {}}
	if wake, ok := m.post(it); wake || !ok {
		t.Errorf("post to one that is awake: wake %v, ok %v", wake, ok)
	}
	if m.park() {
		t.Error("parked with an item in the mailbox")
	}
	m.take(nil)
	if !m.park() {
		t.Error("did not park with nothing to do")
	}
	for i, want := range []bool{true, false} {
		if wake, _ := m.post(it); wake != want {
			t.Errorf("post %d to a parked loop: wake %v, want %v", i, wake, want)
		}
	}
}

func TestMailboxClosed(t *testing.T) {
	var m mailbox
	m.post(item{do: func() {}})
	if rest := m.close(); len(rest) != 1 {
		t.Errorf("%d items left, want 1", len(rest))
	}
	if _, ok := m.post(item{}); ok {
		t.Error("a closed mailbox took an item")
	}
}

// A stream is posted once however much happens to it, from whatever goroutine,
// and again after the loop has taken notice.
func TestStreamPostsOnce(t *testing.T) {
	l := &Loop{}
	s := &Stream{conn: &Conn{loop: l, released: true}}
	for round := range 3 {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					s.Written()
					s.Consumed()
				}
			})
		}
		wg.Wait()
		items := l.mail.take(nil)
		if len(items) != 1 || items[0].stream != s {
			t.Fatalf("round %d: %d items, want the stream once", round, len(items))
		}
		s.handle()
	}
}

// Posting the frequent things allocates nothing.
func TestPostAllocatesNothing(t *testing.T) {
	l := &Loop{}
	s := &Stream{conn: &Conn{loop: l, released: true}}
	if n := testing.AllocsPerRun(100, func() {
		s.Written()
		l.drain()
	}); n != 0 {
		t.Errorf("%v allocations for a post, want none", n)
	}
}
