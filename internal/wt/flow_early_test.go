package wt

import (
	"bytes"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

// earlyFlow is a server's connection whose client speaks one draft, with limits, and has
// no session yet.
func earlyFlow(d Draft, conf Config) *Conn {
	c := NewConn(wire.ServerSide, conf.WithDefaults())
	c.HandleSettings(&h3.Settings{Datagrams: true, Extra: append(set(uint64(d.Setting()), 1), limitSettings...)}, true)
	c.admit(d)
	poll(c)
	return c
}

// TestFlowControlCountsEarly: what was sent on a stream and will never be read counts for
// the limit of its session, which came later (Sections 4.6 and 5.4): where there is flow
// control, both ends agree on what is left.
func TestFlowControlCountsEarly(t *testing.T) {
	const limit, sent = 1000, 600
	for _, d := range Drafts {
		for name, act := range map[string]func(*Conn, *Stream) *Session{
			"before the session": func(c *Conn, st *Stream) *Session {
				st.HandleDiscarded(sent)
				st.HandleReset()
				return c.Begin(1, 400, d, "")
			},
			"after it": func(c *Conn, st *Stream) *Session {
				s := c.Begin(1, 400, d, "")
				st.HandleDiscarded(sent)
				st.HandleReset()
				return s
			},
		} {
			c := earlyFlow(d, Config{MaxData: limit})
			s := act(c, begun(c, 2, 400))
			var want []byte
			if d.FlowControl() {
				want = appendCapsule(nil, CapsuleMaxData, limit+sent)
			}
			if got := s.PollContent(nil); !bytes.Equal(got, want) || s.Err() != nil {
				t.Errorf("draft %d, %s: %x, %v, want %x", d, name, got, s.Err(), want)
			}
			if st := s.Accept(Uni); st == nil {
				t.Errorf("draft %d, %s: the session does not learn of the stream", d, name)
			}
		}
	}
}

// TestFlowControlCountsRejected: streams that are refused, as too many wait for their session,
// count for its limits, and so does what was sent on them, whenever that is known.
func TestFlowControlCountsRejected(t *testing.T) {
	for _, d := range Drafts {
		c := earlyFlow(d, Config{})
		uni := func(i int) uint64 { return uint64(2 + 4*i) }
		first := begun(c, uni(0), 400)
		for i := range maxBufferedStreams - 1 {
			begun(c, uni(1+i), 400)
		}
		first.HandleDiscarded(300)
		first.HandleReset()
		begun(c, uni(maxBufferedStreams), 400) // in its room
		before, after := begun(c, 4, 400), begun(c, 8, 400)
		before.HandleDiscarded(20)
		s := c.Begin(1, 400, d, "")
		after.HandleDiscarded(1)
		got, want := s.Stats(), [kinds]Balance{}
		if d.FlowControl() {
			want[Bidi] = Balance{Seen: 2, Done: 2}
			want[Uni] = Balance{Seen: maxBufferedStreams + 1, Done: 1}
			want[data] = Balance{Done: 321}
		}
		for k, b := range [kinds]Balance{got.Bidi, got.Uni, got.Data} {
			if b.Seen != want[k].Seen || b.Done != want[k].Done || got.Streams != maxBufferedStreams {
				t.Errorf("draft %d, kind %d: %+v, want %+v, with %d streams", d, k, b, want[k], got.Streams)
			}
		}
		if len(c.rejected) != 0 {
			t.Errorf("draft %d: %d sessions are kept account of", d, len(c.rejected))
		}
	}
}

// TestAttackRejected: what is kept of streams that were refused is bounded, whatever
// sessions they are of, goes with the session, and is held against it.
func TestAttackRejected(t *testing.T) {
	c := earlyFlow(Draft15, Config{MaxStreams: 10})
	for i := range maxBufferedStreams {
		begun(c, uint64(2+4*i), 400)
	}
	for i := range 2 * maxRejected {
		begun(c, uint64(4+4*i), uint64(1000+4*i))
	}
	if n := len(c.rejected); n != maxRejected {
		t.Errorf("%d sessions are kept account of", n)
	}
	last := uint64(1000 + 4*(2*maxRejected-1))
	c.HandleRefused(last)
	begun(c, 3000, last).HandleDiscarded(1)
	if n := len(c.rejected); n != maxRejected-1 {
		t.Errorf("%d sessions are kept account of, one of which will never be", n)
	}
	for i := range 11 {
		begun(c, uint64(4000+4*i), 2000)
	}
	if code, _ := h3.Code(c.Begin(1, 2000, Draft15, "").Err()); code != CodeFlowControl {
		t.Errorf("a session with too many streams ended with %v", code)
	}
	if c.HandleClose(ErrProtocol); c.rejected != nil {
		t.Error("something is kept after the connection's end")
	}
}

// TestAttackTooMuchEarlyData: a reset hides nothing that is beyond the limit of a session
// to come.
func TestAttackTooMuchEarlyData(t *testing.T) {
	for _, d := range Drafts {
		c := earlyFlow(d, Config{MaxData: 1000})
		st := begun(c, 2, 400)
		st.HandleDiscarded(1001)
		st.HandleReset()
		begun(c, 4, 400)
		s := c.Begin(1, 400, d, "")
		if code, _ := h3.Code(s.Err()); d.FlowControl() && (code != CodeFlowControl || s.streams.n != 0) {
			t.Errorf("draft %d: %v, and %d streams", d, s.Err(), s.streams.n)
		} else if !d.FlowControl() && (s.Err() != nil || s.streams.n != 2) {
			t.Errorf("draft %d: %v, and %d streams, without a limit", d, s.Err(), s.streams.n)
		}
	}
}
