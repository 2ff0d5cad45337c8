package wt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

// flowing is a server's session with flow control, by itself.
func flowing(t testing.TB, conf Config) (*Conn, *Session) {
	t.Helper()
	c := NewConn(wire.ServerSide, conf.WithDefaults())
	c.HandleSettings(&h3.Settings{Datagrams: true, Extra: append(set(uint64(SettingDraft15), 1), limitSettings...)}, true)
	if !c.admit(Draft15) {
		t.Fatal("no place")
	}
	s := c.Begin(1, 0, Draft15, "")
	wantEvents(t, "begin", c, EventSettled)
	return c, s
}

// plainly is one without.
func plainly(t testing.TB, d Draft) (*Conn, *Session) {
	t.Helper()
	c := NewConn(wire.ServerSide, Config{}.WithDefaults())
	c.HandleSettings(&h3.Settings{Datagrams: true, Extra: set(uint64(SettingDraft02), 1)}, true)
	if !c.admit(d) {
		t.Fatal("no place")
	}
	s := c.Begin(1, 0, d, "")
	wantEvents(t, "begin", c, EventSettled)
	return c, s
}

func closeCapsule(code uint32, reason string) []byte {
	return h3.AppendCapsule(nil, CapsuleClose, append(binary.BigEndian.AppendUint32(nil, code), reason...))
}

// TestAttackCapsules: what a peer must not say ends the session with the code for it
// (Sections 5.4, 5.6 and 6), in pieces of whatever size it comes.
func TestAttackCapsules(t *testing.T) {
	for name, test := range map[string]struct {
		content []byte
		code    h3.ErrorCode // 0 for none
		end     bool         // the CONNECT stream ends after it
		closed  *SessionError
	}{
		"reason, longest":         {content: closeCapsule(7, strings.Repeat("x", MaxReason)), closed: &SessionError{7, strings.Repeat("x", MaxReason), true}},
		"reason, too long":        {content: closeCapsule(7, strings.Repeat("x", MaxReason+1)), code: h3.MessageError}, // CVE-2026-21434
		"close, endless":          {content: h3.AppendFrameHeader(nil, h3.FrameType(CapsuleClose), wire.MaxVarint), code: h3.MessageError},
		"reason, not UTF-8":       {content: closeCapsule(7, "\xff"), code: h3.MessageError},
		"close without a code":    {content: h3.AppendCapsule(nil, CapsuleClose, []byte{1, 2, 3}), code: h3.MessageError},
		"a finished stream":       {end: true, closed: &SessionError{Remote: true}},
		"close, then the end":     {content: closeCapsule(1, "x"), end: true, closed: &SessionError{1, "x", true}},
		"half a capsule":          {content: closeCapsule(1, "xyz")[:6], end: true, code: h3.MessageError},
		"half a header":           {content: []byte{0x68}, end: true, code: h3.MessageError},
		"drain with a value":      {content: h3.AppendCapsule(nil, CapsuleDrain, []byte{0}), code: h3.MessageError},
		"data limit lowered":      {content: appendCapsule(nil, CapsuleMaxData, 1<<19), code: CodeFlowControl},
		"data limit repeated":     {content: appendCapsule(nil, CapsuleMaxData, 1<<20), code: CodeFlowControl},
		"data limit raised":       {content: appendCapsule(nil, CapsuleMaxData, 1<<20+1)},
		"stream limit lowered":    {content: appendCapsule(nil, CapsuleMaxStreamsBidi, 9), code: CodeFlowControl},
		"stream limit repeated":   {content: appendCapsule(nil, CapsuleMaxStreamsUni, 10), code: CodeFlowControl},
		"stream limit, highest":   {content: appendCapsule(nil, CapsuleMaxStreamsUni, 1<<60)},
		"stream limit too large":  {content: appendCapsule(nil, CapsuleMaxStreamsUni, 1<<60+1), code: CodeFlowControl},
		"blocked beyond limits":   {content: appendCapsule(nil, CapsuleStreamsBlockedUni, 1<<60+1), code: CodeFlowControl},
		"blocked, data":           {content: appendCapsule(nil, CapsuleDataBlocked, wire.MaxVarint)},
		"prohibited, stream data": {content: appendTwo(CapsuleMaxStreamData, 4, 1000), code: h3.MessageError},
		"prohibited, blocked":     {content: appendTwo(CapsuleStreamDataBlocked, 4, 1000), code: h3.MessageError},
		"not an integer":          {content: h3.AppendCapsule(nil, CapsuleMaxData, []byte{0xc0, 0}), code: h3.MessageError},
		"no integer":              {content: h3.AppendCapsule(nil, CapsuleMaxData, nil), code: h3.MessageError},
		"two integers":            {content: appendTwo(CapsuleMaxData, 1<<21, 1), code: h3.MessageError},
		"too long":                {content: h3.AppendCapsule(nil, CapsuleMaxData, make([]byte, 9)), code: h3.MessageError},
		"unknown":                 {content: h3.AppendCapsule(nil, 0x1234, make([]byte, 100))},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			c, s := flowing(t, Config{})
			feed(s, test.content, size)
			if test.end {
				s.HandleContentEnd(1, io.EOF)
			}
			var aborts []h3.ErrorCode
			finishes := 0
			for _, e := range poll(c) {
				switch e.Kind {
				case EventAbort:
					aborts = append(aborts, e.Code)
				case EventFinish:
					finishes++
				}
			}
			var closed *SessionError
			switch {
			case test.code != 0:
				if len(aborts) != 1 || aborts[0] != test.code || finishes > 0 || s.Err() == nil {
					t.Errorf("%s: aborted with %v, finished %d times, %v; want %v", name, aborts, finishes, s.Err(), test.code)
				}
			case test.closed != nil:
				if !errors.As(s.Err(), &closed) || *closed != *test.closed || finishes != 1 || aborts != nil {
					t.Errorf("%s: closed with %v, finished %d times, aborted with %v; want %v", name, s.Err(), finishes, aborts, test.closed)
				}
			case s.Err() != nil || aborts != nil:
				t.Errorf("%s: %v", name, s.Err())
			}
		}
	}
}

// appendTwo is a capsule of two integers.
func appendTwo(typ h3.CapsuleType, a, b uint64) []byte {
	return h3.AppendCapsule(nil, typ, wire.AppendVarint(wire.AppendVarint(nil, a), b))
}

func feed(s *Session, b []byte, size int) {
	for len(b) > 0 {
		n := min(size, len(b))
		s.HandleContent(1, b[:n])
		b = b[n:]
	}
}

func poll(c *Conn) (events []Event) {
	var batch [8]Event
	for n := c.PollEvents(batch[:]); n > 0; n = c.PollEvents(batch[:]) {
		events = append(events, batch[:n]...)
	}
	return events
}

// TestContentAfterClose is an error (Section 6), and nothing is taken after that.
func TestContentAfterClose(t *testing.T) {
	c, s := plainly(t, Draft02)
	s.HandleContent(1, append(closeCapsule(7, "why"), appendCapsule(nil, CapsuleDrain)...))
	events := wantEvents(t, "content after the end", c, EventFinish, EventEnded, EventAbort)
	if events[2].Code != h3.MessageError || s.Err().(*SessionError).Code != 7 {
		t.Errorf("%v, %v", events[2].Code, s.Err())
	}
	s.HandleContent(1, []byte("anything"))
	s.HandleContentEnd(1, io.EOF)
	wantEvents(t, "content after an error", c)
}

// TestCapsulesWithoutFlowControl are ignored (Section 5.1), if they are well formed or
// not.
func TestCapsulesWithoutFlowControl(t *testing.T) {
	c, s := plainly(t, Draft02)
	for _, b := range [][]byte{
		appendCapsule(nil, CapsuleMaxData, 5), appendCapsule(nil, CapsuleMaxData, 5),
		appendCapsule(nil, CapsuleMaxStreamsUni, 1<<61), h3.AppendCapsule(nil, CapsuleMaxData, nil),
	} {
		s.HandleContent(1, b)
	}
	wantEvents(t, "capsules", c)
}

// TestAttackUnknownCapsule: capsules of unknown types are skipped without being
// stored (CVE-2026-57497).
func TestAttackUnknownCapsule(t *testing.T) {
	c, s := plainly(t, Draft02)
	s.HandleContent(1, h3.AppendFrameHeader(nil, 0x1234, 1<<40))
	piece := make([]byte, 1<<16)
	if n := testing.AllocsPerRun(100, func() { s.HandleContent(1, piece) }); n > 0 {
		t.Errorf("%v allocations for a piece", n)
	}
	wantEvents(t, "an unknown capsule", c)
}

// TestCloseComesFirst: the peer learns why a session ends before it learns that the
// streams are reset. Chromium tells a page nothing of the code otherwise.
func TestCloseComesFirst(t *testing.T) {
	c, s := plainly(t, Draft02)
	for _, id := range []uint64{4, 2} {
		c.HandleHeader(1, c.HandleStream(id), []byte{0})
	}
	own := s.Open(Uni)
	if err := own.Opened(3); err != nil {
		t.Fatal(err)
	}
	poll(c)
	s.Close(1, 7, "why")
	events := wantEvents(t, "close", c, EventFinish, EventEnded, EventReset, EventStop, EventStop, EventReset)
	if !bytes.Equal(events[0].Data, closeCapsule(7, "why")) {
		t.Errorf("%x", events[0].Data)
	}
	for _, e := range events[2:] {
		if e.Code != CodeSessionGone {
			t.Errorf("event %d with %v", e.Kind, e.Code)
		}
	}
	s.Close(1, 8, "again")
	s.Drain()
	wantEvents(t, "after the end", c)
	if _, err := s.Open(Bidi).MayOpen(); err != s.Err() {
		t.Errorf("open after the end: %v", err)
	}
	if late := s.Open(Uni); late.Opened(7) != s.Err() {
		t.Error("a stream was opened after the end")
	}
	wantEvents(t, "a stream of the ended session", c, EventReset)
}

// TestCloseTimeout: the peer of a closed session has some time to finish.
func TestCloseTimeout(t *testing.T) {
	c, s := plainly(t, Draft02)
	s.Close(100, 0, "")
	poll(c)
	if at := c.Deadline(); at.Sub(100) != CloseTimeout {
		t.Fatalf("deadline after %v", at.Sub(100))
	}
	c.HandleDeadline(c.Deadline())
	if e := wantEvents(t, "no answer", c, EventStopReading)[0]; e.Code != CodeSessionGone {
		t.Error(e.Code)
	}
	if !c.Deadline().IsZero() {
		t.Error("there is another deadline")
	}
	c, s = plainly(t, Draft02)
	s.Close(100, 0, "")
	s.HandleContentEnd(101, io.EOF)
	s.HandleOver()
	if !c.Deadline().IsZero() {
		t.Error("a deadline is left of a session that is over")
	}
}

// TestIdle: Config.IdleTimeout.
func TestIdle(t *testing.T) {
	const timeout = 20 * time.Second
	c := NewConn(wire.ServerSide, Config{IdleTimeout: timeout}.WithDefaults())
	c.HandleSettings(&h3.Settings{Datagrams: true}, true)
	first, second := c.Begin(100, 0, Draft07, ""), c.Begin(100, 4, Draft07, "")
	second.HandleContent(200, appendCapsule(nil, CapsuleDrain))
	poll(c)
	c.HandleDeadline(c.Deadline())
	events := wantEvents(t, "the first", c, EventFinish, EventEnded)
	if want := (SessionError{Reason: "nothing was received for 20s"}); *events[1].Err.(*SessionError) != want || events[1].Session != first {
		t.Errorf("%v", events[1].Err)
	}
	c.HandleDatagram(300, 4, nil)
	for second.Err() == nil {
		c.HandleDeadline(c.Deadline())
	}
	if second.heard != 300 {
		t.Errorf("heard at %d", second.heard)
	}
}

// TestConnectionEnds: all of it ends, with nothing to send.
func TestConnectionEnds(t *testing.T) {
	c, s := flowing(t, Config{})
	c.HandleHeader(1, c.HandleStream(4), []byte{0})
	waiting := s.Open(Uni)
	poll(c)
	failed := errors.New("failed")
	c.HandleClose(failed)
	wantEvents(t, "the connection's end", c, EventEnded, EventReset, EventStop)
	if _, err := waiting.MayOpen(); err != failed || s.Err() != failed {
		t.Error(err)
	}
	if late := c.Begin(1, 8, Draft15, ""); late.Err() != failed {
		t.Error("a session began")
	}
	wantEvents(t, "a session after the end", c, EventEnded)
}

// TestGoAway: Section 4.7.
func TestGoAway(t *testing.T) {
	c, s := plainly(t, Draft02)
	c.HandleGoAway()
	c.HandleGoAway()
	wantEvents(t, "GOAWAY", c, EventDraining, EventContent)
	if b := s.PollContent(nil); !bytes.Equal(b, appendCapsule(nil, CapsuleDrain)) {
		t.Errorf("%x", b)
	}
	s.HandleContent(1, appendCapsule(nil, CapsuleDrain))
	wantEvents(t, "WT_DRAIN_SESSION", c)
}

// TestExporterContext: Section 4.8.
func TestExporterContext(t *testing.T) {
	_, s := plainly(t, Draft02)
	got, err := s.ExporterContext("ab", []byte("c"))
	if want := "\x00\x00\x00\x00\x00\x00\x00\x00\x02ab\x01c"; string(got) != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.ExporterContext(strings.Repeat("x", 256), nil); err == nil {
		t.Error("a label of 256 bytes")
	}
}
