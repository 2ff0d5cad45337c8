package wt

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
)

// TestFlowControlCountsCancelled: what was sent on a stream counts for the session's
// limit whether it is read or not (Section 5.4).
func TestFlowControlCountsCancelled(t *testing.T) {
	const limit, sent, read = 1000, 600, 100
	c, s := flowing(t, Config{MaxData: limit})
	st := begun(c, 2, 0)
	poll(c)
	st.Consumed(1, read)
	wantEvents(t, "a little is read", c)
	st.ReceiveOver()
	st.HandleDiscarded(sent - read)
	wantEvents(t, "the rest is not", c, EventContent)
	if b := s.PollContent(nil); !bytes.Equal(b, appendCapsule(nil, CapsuleMaxData, limit+sent)) {
		t.Errorf("%x", b)
	}
}

// TestAttackTooMuchData: more than allowed ends the session, whether it is read or not.
func TestAttackTooMuchData(t *testing.T) {
	for name, act := range map[string]func(*Stream){
		"read":      func(st *Stream) { st.Consumed(1, 1001) },
		"discarded": func(st *Stream) { st.HandleDiscarded(1001) },
		"both":      func(st *Stream) { st.Consumed(1, 501); st.HandleDiscarded(1001) },
	} {
		c, _ := flowing(t, Config{MaxData: 1000})
		st := begun(c, 2, 0)
		poll(c)
		act(st)
		var code h3.ErrorCode
		for _, e := range poll(c) {
			if e.Kind == EventAbort {
				code = e.Code
			}
		}
		if code != CodeFlowControl {
			t.Errorf("%s: %v", name, code)
		}
	}
}

// TestCreditsCoalesce: however often a limit changes before the peer can be told, it is
// told the newest value alone.
func TestCreditsCoalesce(t *testing.T) {
	c, s := flowing(t, Config{MaxData: 1000, MaxStreams: 10})
	for i := range 1000 {
		st := begun(c, uint64(2+4*i), 0)
		s.Accept(Uni)
		st.Consumed(1, 900)
		st.ReceiveOver()
		s.Drain()
	}
	contents := 0
	for _, e := range poll(c) {
		if e.Kind == EventContent {
			contents++
		}
	}
	want := appendCapsule(nil, CapsuleDrain)
	want = appendCapsule(want, CapsuleMaxStreamsUni, 1010)
	want = appendCapsule(want, CapsuleMaxData, 901_000)
	if b := s.PollContent(nil); !bytes.Equal(b, want) || contents != 1 {
		t.Errorf("%x after %d events, want %x after 1", b, contents, want)
	}
	wantEvents(t, "nothing more", c)
}

// TestOpenWaits: streams that the limit does not allow wait in order; whoever gives up
// leaves what was given.
func TestOpenWaits(t *testing.T) {
	c, s := flowing(t, Config{})
	var streams []*Stream
	for range 14 { // the peer allows 10
		streams = append(streams, s.Open(Uni))
	}
	for i, st := range streams {
		if ok, err := st.MayOpen(); ok != (i < 10) || err != nil {
			t.Fatalf("stream %d may be opened: %v, %v", i, ok, err)
		}
	}
	wantEvents(t, "too many", c, EventContent)
	if b := s.PollContent(nil); !bytes.Equal(b, appendCapsule(nil, CapsuleStreamsBlockedUni, 10)) {
		t.Errorf("%x", b)
	}
	streams[0].Abandon()
	wantMayOpen(t, c, streams[10])
	streams[11].Abandon()
	s.HandleContent(1, appendCapsule(nil, CapsuleMaxStreamsUni, 11))
	if st := nextMayOpen(t, c); st != streams[12] {
		t.Error("the wrong stream")
	}
	streams[12].Abandon() // what it was given is the next one's
	if st := nextMayOpen(t, c); st != streams[13] {
		t.Error("the wrong stream")
	}
}

func wantMayOpen(t *testing.T, c *Conn, want *Stream) {
	t.Helper()
	if got := nextMayOpen(t, c); got != want {
		t.Error("the wrong stream may be opened")
	}
}

// nextMayOpen returns the one stream that an event says may be opened.
func nextMayOpen(t *testing.T, c *Conn) (st *Stream) {
	t.Helper()
	for _, e := range poll(c) {
		if e.Kind == EventMayOpen {
			if st != nil {
				t.Error("two streams may be opened")
			}
			st = e.Stream
			if ok, err := st.MayOpen(); !ok || err != nil {
				t.Errorf("it may not: %v", err)
			}
		}
	}
	return st
}

// TestWriteWaits: Allow, Forgo and Unused.
func TestWriteWaits(t *testing.T) {
	c, s := flowing(t, Config{})
	s.flow.ours[data].limit = 100
	var streams []*Stream
	for i := range 3 {
		st := s.Open(Uni)
		_ = st.Opened(uint64(3 + 4*i))
		streams = append(streams, st)
	}
	allow := func(st *Stream, n, want int) {
		t.Helper()
		if got, err := st.Allow(n); got != want || err != nil {
			t.Fatalf("%d of %d bytes are allowed, %v; want %d", got, n, err, want)
		}
	}
	allow(streams[0], 150, 100)
	allow(streams[1], 30, 0)
	allow(streams[2], 70, 0)
	allow(streams[1], 20, 0) // it wants less now
	wantEvents(t, "blocked", c, EventContent)
	if b := s.PollContent(nil); !bytes.Equal(b, appendCapsule(nil, CapsuleDataBlocked, 100)) {
		t.Errorf("%x", b)
	}
	streams[0].Unused(40)
	events := wantEvents(t, "some is given back", c, EventMayWrite, EventMayWrite)
	if events[0].Stream != streams[1] || events[1].Stream != streams[2] {
		t.Error("the wrong streams may write")
	}
	allow(streams[1], 5, 5) // and gives 15 back
	allow(streams[2], 70, 20)
	allow(streams[2], 50, 15)
	allow(streams[2], 35, 0)
	streams[2].Forgo()
	s.HandleContent(1, appendCapsule(nil, CapsuleMaxData, 120))
	if used := s.flow.ours[data].used; used != 100 {
		t.Errorf("%d bytes are counted", used)
	}
	allow(streams[0], 20, 20)
	allow(streams[1], 1, 0)
	poll(c)
	streams[1].SendOver() // takes the claim with it
	if s.flow.ours[data].first != nil {
		t.Error("a stream that is over waits")
	}
	allow(streams[2], 1, 0)
	poll(c)
	s.Close(1, 0, "")
	events = poll(c)
	if e := events[len(events)-1]; e.Kind != EventMayWrite || e.Stream != streams[2] {
		t.Errorf("who waits is not told of the end, or too early: %v", events)
	}
	if _, err := streams[2].Allow(1); err != s.Err() {
		t.Error(err)
	}
	streams[2].Unused(20)
	streams[2].Forgo()
}

// TestCreditWakesFew counts the work that raising a limit in steps makes: it goes with
// what is allowed, and not with those who wait times the steps.
func TestCreditWakesFew(t *testing.T) {
	for _, n := range []int{10, 40, 160} {
		conn, c := new(Conn), new(credit)
		for range n {
			_, _ = c.take(1000, &Stream{conn: conn, opened: true})
		}
		for range n {
			c.limit++
			c.serve()
		}
		if woken := len(poll(conn)); woken != n {
			t.Errorf("%d steps of 1 woke %d of %d who wait", n, woken, n)
		}
	}
}

// TestCreditOrder: first come, first served, and who gives up leaves to the next what
// he was given.
func TestCreditOrder(t *testing.T) {
	st := &Stream{conn: new(Conn)}
	c := &credit{limit: 5}
	if got, wait := c.take(3, st); got != 3 || wait != nil {
		t.Fatalf("%d of 5", got)
	}
	if got, wait := c.take(3, st); got != 2 || wait != nil {
		t.Fatalf("%d of the 2 left", got)
	}
	var claims [4]*claim
	for i := range claims {
		_, claims[i] = c.take(2, st)
	}
	wantGot := func(what string, want ...uint64) {
		t.Helper()
		got := []uint64{}
		for _, w := range claims {
			got = append(got, w.got)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: those who wait got %v, want %v", what, got, want)
		}
	}
	c.limit = 6
	c.serve()
	wantGot("raised by 1", 1, 0, 0, 0)
	c.giveUp(claims[0])
	wantGot("the first gave up", 0, 1, 0, 0)
	c.giveUp(claims[2])
	c.limit = 10
	c.serve()
	wantGot("the third gave up, then raised", 0, 1, 0, 2)
	if c.first != nil || c.last != nil || c.used != 8 {
		t.Errorf("%v and %v wait, %d is used", c.first, c.last, c.used)
	}
}
