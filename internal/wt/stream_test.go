package wt

import (
	"bytes"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

// begun feeds the header of a stream of the peer's to a machine, byte by byte.
func begun(c *Conn, id, session uint64) *Stream {
	st := c.HandleStream(id)
	for _, b := range wire.AppendVarint(nil, session) {
		c.HandleHeader(1, st, []byte{b})
	}
	return st
}

// TestAttackSessionIDs: IDs that no session can have end the connection (Section 4).
func TestAttackSessionIDs(t *testing.T) {
	for id := uint64(0); id < 12; id++ {
		c, _ := plainly(t, Draft02)
		begun(c, 2, id)
		switch {
		case id == 0:
			wantEvents(t, "stream of the session", c, EventIncoming)
		case id%4 == 0:
			wantEvents(t, "stream of a later session", c)
		default:
			if e := wantEvents(t, "impossible session", c, EventFail)[0]; e.Code != h3.IDError {
				t.Errorf("session %d: closed with %v", id, e.Code)
			}
		}
	}
}

// TestStreamHeader: no byte beyond the header is asked for, in any of its forms.
func TestStreamHeader(t *testing.T) {
	for _, b := range [][]byte{{0}, {0x40, 0}, {0x80, 0, 0, 0}, {0xc0, 0, 0, 0, 0, 0, 0, 0}} {
		c, s := plainly(t, Draft02)
		st := c.HandleStream(2)
		for i := 0; i < len(b); {
			n := st.Missing()
			if want := len(b) - i; n != want && !(i == 0 && n == 1) {
				t.Fatalf("%x after %d bytes: %d are missing", b, i, n)
			}
			c.HandleHeader(1, st, b[i:i+n])
			i += n
		}
		if st.Missing() != 0 || st.Session() != s {
			t.Errorf("%x: of session %v", b, st.Session())
		}
	}
	c, _ := plainly(t, Draft02)
	st := c.HandleStream(4)
	c.HandleHeader(1, st, []byte{0x40})
	c.HandleHeaderEnd(st)
	for _, e := range wantEvents(t, "half a header", c, EventReset, EventStop) {
		if e.Code != CodeBufferedStreamRejected {
			t.Error(e.Code)
		}
	}
	if st.Missing() != 0 {
		t.Error("more is wanted of a stream that was refused")
	}
}

// TestEarlyStreams: streams and datagrams that overtake their session wait for it, and
// are refused with it.
func TestEarlyStreams(t *testing.T) {
	c, _ := plainly(t, Draft02)
	early := []*Stream{begun(c, 8, 400), begun(c, 2, 400), begun(c, 6, 404)}
	early[1].HandleReset()
	c.HandleDatagram(1, 400, []byte("first"))
	c.HandleDatagram(1, 404, []byte("other"))
	c.HandleDatagram(1, 400, nil)
	wantEvents(t, "early streams", c)
	c.admitted++
	s := c.Begin(1, 400, Draft02, "")
	wantEvents(t, "their session", c, EventIncoming, EventIncoming, EventDatagram)
	if st := s.Accept(Bidi); st != early[0] {
		t.Error("not the bidirectional stream")
	}
	if st := s.Accept(Uni); st != early[1] || s.Accept(Uni) != nil {
		t.Error("not the unidirectional stream")
	}
	for _, want := range []string{"first", ""} {
		if p, ok := s.ReceiveDatagram(); string(p) != want || !ok {
			t.Errorf("%q, %v", p, ok)
		}
	}
	if _, ok := s.ReceiveDatagram(); ok {
		t.Error("one more datagram")
	}
	c.HandleRefused(404)
	if e := wantEvents(t, "a session that is refused", c, EventStop)[0]; e.Stream != early[2] || e.Code != CodeSessionGone {
		t.Error(e.Code)
	}
	begun(c, 10, 404)
	if e := wantEvents(t, "a stream after that", c, EventStop)[0]; e.Code != CodeSessionGone {
		t.Error(e.Code)
	}
	c.HandleDatagram(1, 404, []byte("late"))
	if n, bytes := c.early.Held(); n != 0 || bytes != 0 {
		t.Errorf("%d early datagrams are kept", n)
	}
}

// TestStreamAtSessionEnd has a stream find its session just ended: what happens to the
// stream later must not be taken for another stream, which the limit may not allow.
func TestStreamAtSessionEnd(t *testing.T) {
	c, s := plainly(t, Draft02)
	st := begun(c, 8, 400)
	s.Close(1, 0, "")
	poll(c)
	s.addStream(1, st)
	wantEvents(t, "a stream of a session that has ended", c, EventReset, EventStop)
	c.HandleHeader(1, st, []byte{0})
	st.HandleReset()
	st.HandleDiscarded(5)
	wantEvents(t, "what happens to it later", c)
}

// TestAttackEarlyStreams: those without a session are bounded, and those that were reset
// or have waited too long make room.
func TestAttackEarlyStreams(t *testing.T) {
	c, _ := plainly(t, Draft02)
	var early []*Stream
	for i := range maxBufferedStreams {
		early = append(early, begun(c, uint64(2+4*i), 400))
	}
	wantEvents(t, "as many as there is room for", c)
	st := begun(c, 400, 400)
	for _, e := range wantEvents(t, "one too many", c, EventReset, EventStop) {
		if e.Stream != st || e.Code != CodeBufferedStreamRejected {
			t.Error(e.Code)
		}
	}
	early[5].HandleReset()
	wantEvents(t, "a reset", c)
	begun(c, 404, 400)
	if e := wantEvents(t, "one more", c, EventStop)[0]; e.Stream != early[5] {
		t.Error("another one made room")
	}
	st = c.HandleStream(408)
	c.HandleHeader(1+1+0, st, []byte{0x41})
	c.HandleHeader(1+maxBufferedNanos, st, []byte{0x90}) // session 400
	if e := wantEvents(t, "later", c, EventStop)[0]; e.Stream != early[0] {
		t.Error("another one made room")
	}
	for range 10 * h3.MaxEarlyDatagrams {
		c.HandleDatagram(1, 400, make([]byte, 2000))
	}
	if n, bytes := c.early.Held(); n > h3.MaxEarlyDatagrams || bytes > h3.MaxEarlyDatagramBytes {
		t.Errorf("%d early datagrams of %d bytes", n, bytes)
	}
}

const maxBufferedNanos = 5_000_000_000

// TestAttackStreams: streams that are over leave nothing (CVE-2026-21438), whatever way
// they ended, and whether they were accepted or not.
func TestAttackStreams(t *testing.T) {
	c, s := flowing(t, Config{MaxStreams: 10_000})
	for i := range 3000 {
		begun(c, uint64(2+4*i), 0).HandleReset()
		poll(c)
	}
	if n := s.waiting[Uni].Len(); n != MaxQueuedResets || s.streams.n != n {
		t.Errorf("%d streams wait, %d are known", n, s.streams.n)
	}
	for st := s.Accept(Uni); st != nil; st = s.Accept(Uni) {
		st.ReceiveOver()
	}
	for i := range MaxQueuedStreams + 10 {
		begun(c, uint64(4+4*i), 0)
	}
	if n := s.waiting[Bidi].Len(); n != MaxQueuedStreams || s.streams.n != n {
		t.Errorf("%d streams wait, %d are known", n, s.streams.n)
	}
	for st := s.Accept(Bidi); st != nil; st = s.Accept(Bidi) {
		st.SendOver()
		st.ReceiveOver()
		st.SendOver()
	}
	if s.streams != (streamList{}) {
		t.Errorf("%d streams are known", s.streams.n)
	}
}

// TestAttackTooManyStreams: Section 5.6.2.
func TestAttackTooManyStreams(t *testing.T) {
	c, s := flowing(t, Config{MaxStreams: 4})
	for i := range 4 {
		begun(c, uint64(2+4*i), 0)
		begun(c, uint64(4+4*i), 0)
	}
	for st := s.streams.first; st != nil; {
		next := st.next
		if st.kind == Bidi {
			st.SendOver()
		}
		st = next
	}
	poll(c)
	begun(c, 20, 0)
	events := poll(c)
	if events[0].Kind != EventReset || events[0].Code != CodeFlowControl || events[2].Kind != EventAbort || events[2].Code != CodeFlowControl {
		t.Errorf("%v", events[:3])
	}
}

// TestLateEnd: Firefox drops the connection when it finds a stream's end with its header.
func TestLateEnd(t *testing.T) {
	_, s := plainly(t, Draft02)
	c := s.conn
	open := func(k Kind, id uint64) *Stream {
		st := s.Open(k)
		if err := st.Opened(id); err != nil {
			t.Fatal(err)
		}
		return st
	}
	empty, slow, written, bidi := open(Uni, 3), open(Uni, 7), open(Uni, 11), open(Bidi, 1)
	_, _ = written.Allow(1)
	if slow.Finish(100, time.Second) || empty.Finish(100, 0) || !written.Finish(100, 0) || !bidi.Finish(100, 0) {
		t.Fatal("the wrong ends wait")
	}
	s.Close(100, 0, "") // they are delivered all the same
	poll(c)
	for i, want := range []struct {
		st *Stream
		d  time.Duration
	}{{empty, lateEndDelay}, {slow, 2 * time.Second}} {
		if d := c.Deadline().Sub(100); d != want.d {
			t.Errorf("stream %d ends after %v, want %v", i, d, want.d)
		}
		c.HandleDeadline(c.Deadline())
		if e := wantEvents(t, "the end", c, EventClose)[0]; e.Stream != want.st {
			t.Error("of another stream")
		}
	}
}

// TestHeaders are what begins streams (Sections 4.2 and 4.3).
func TestHeaders(t *testing.T) {
	_, s := plainly(t, Draft02)
	s.id = 400
	if b := s.Open(Bidi).AppendHeader(nil); !bytes.Equal(b, []byte{0x40, 0x41, 0x41, 0x90}) {
		t.Errorf("%x", b)
	}
	if b := s.Open(Uni).AppendHeader(nil); !bytes.Equal(b, []byte{0x40, 0x54, 0x41, 0x90}) {
		t.Errorf("%x", b)
	}
}

// TestAttackDatagramFlood: datagrams that nobody receives are dropped and counted, the
// oldest first, and all sessions together have a bound.
func TestAttackDatagramFlood(t *testing.T) {
	c, s := plainly(t, Draft02)
	for i := range 2 * maxQueuedDatagrams {
		c.HandleDatagram(1, 0, []byte{byte(i >> 8), byte(i)})
	}
	wantEvents(t, "many datagrams", c, EventDatagram)
	p, _ := s.ReceiveDatagram()
	if want := maxQueuedDatagrams; int(p[0])<<8|int(p[1]) != want || s.DatagramsDropped() != uint64(want) {
		t.Errorf("the oldest is %x, %d were dropped", p, s.DatagramsDropped())
	}
	for id := uint64(4); id < 80; id += 4 {
		c.Begin(1, id, Draft02, "")
		for range maxQueuedDatagrams {
			c.HandleDatagram(1, id, make([]byte, 1000))
		}
	}
	if c.held > maxConnDatagramBytes {
		t.Errorf("%d bytes are held", c.held)
	}
	for _, s := range c.ordered() {
		s.Close(1, 0, "")
	}
	if c.held != 0 {
		t.Errorf("%d bytes count for sessions that have ended", c.held)
	}
	if p, ok := s.ReceiveDatagram(); !ok || len(p) != 2 {
		t.Error("what was received before the end is lost")
	}
	s.HandleContent(1, h3.AppendCapsule(nil, h3.CapsuleDatagram, []byte("late")))
}

// TestDatagramCapsules: RFC 9297, Section 3.5.
func TestDatagramCapsules(t *testing.T) {
	c, s := plainly(t, Draft02)
	s.HandleContent(1, h3.AppendCapsule(nil, h3.CapsuleDatagram, []byte("x")))
	s.HandleContent(1, h3.AppendCapsule(nil, h3.CapsuleDatagram, make([]byte, maxDatagramCapsule+1)))
	wantEvents(t, "two, one of them too long", c, EventDatagram)
	if p, ok := s.ReceiveDatagram(); string(p) != "x" || !ok {
		t.Errorf("%q", p)
	}
	if s.TakesDatagram(0) || !s.TakesDatagram(1) {
		t.Error("an empty datagram to Chromium, or no other")
	}
}
