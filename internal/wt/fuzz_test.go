package wt

import (
	"io"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// fuzzer plays a list of operations, which a peer and an application might bring about,
// to one machine.
type fuzzer struct {
	t        *testing.T
	c        *Conn
	now      monotime.Time
	input    []byte
	sessions []*Session
	streams  []*Stream
	wanted   []*Stream
	allowed  map[*Stream]int
	next     uint64
	ended    map[*Session]bool
	over     map[[2]any]bool // halves of streams that the machine has cancelled
	account  share
}

func (f *fuzzer) byte() byte {
	if len(f.input) == 0 {
		return 0
	}
	b := f.input[0]
	f.input = f.input[1:]
	return b
}

func (f *fuzzer) bytes() []byte {
	n := min(int(f.byte()), len(f.input))
	b := f.input[:n]
	f.input = f.input[n:]
	return b
}

func pick[T any](f *fuzzer, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return list[int(f.byte())%len(list)], true
}

// FuzzConn feeds a machine anything that may happen to it, in any order, and holds it
// to its bounds.
func FuzzConn(f *testing.F) {
	f.Add([]byte("\x01\x10\x00\x00\x01\x04\x02\x05\x00\x06\x01\x0a\x08\x09\x20\x0b\x0c"))
	f.Add(append([]byte("\x03\x00\x00\x07\x00\x20"), closeCapsule(5, "why")...))
	f.Add([]byte("\x00\x01\x08\x01\x08\x01\x09\x05\x00\x64\x00\x00\x0f\x00\x10\x00\x0e\x03"))
	f.Fuzz(func(t *testing.T, input []byte) {
		z := &fuzzer{t: t, now: 1000, input: input, ended: make(map[*Session]bool), over: make(map[[2]any]bool), allowed: make(map[*Stream]int)}
		mode := z.byte()
		conf := Config{MaxSessions: 3, MaxStreams: 4, MaxData: 100}
		if mode&2 != 0 {
			conf.IdleTimeout = 1e9
		}
		z.c = NewConn(wire.Side(mode&1), conf.WithDefaults())
		z.account.limit = 1 << 30
		if mode&32 != 0 {
			z.account.limit = 100
		}
		z.c.SetAccount(&z.account)
		settings := &h3.Settings{Datagrams: mode&4 == 0, Extra: set(uint64(SettingDraft15), 1, uint64(SettingDraft02), 1)}
		if mode&8 == 0 {
			settings.Extra = append(settings.Extra, limitSettings...)
		}
		z.c.HandleSettings(settings, mode&16 == 0)
		for len(z.input) > 0 {
			z.step()
			z.poll()
			z.check()
		}
	})
}

func (f *fuzzer) step() {
	f.now = f.now.Add(1e6)
	switch op := f.byte() % 19; op {
	case 0: // a request
		d, err := f.c.PrepareRequest()
		if err == nil {
			f.next += 4
			f.sessions = append(f.sessions, f.c.Begin(f.now, f.next-4, d, ""))
		}
	case 1: // one at a server
		d, refusal := f.c.CheckRequest(Request{Token: TokenNew})
		if refusal != nil {
			return
		}
		if a := f.c.Admit(f.now, d); a.Waits() && f.byte()%2 == 0 {
			a.Withdraw()
		} else if !a.Waits() && a.Refusal() == nil {
			if f.byte()%4 == 0 {
				f.c.Abandon()
				f.c.HandleRefused(f.next)
			} else {
				f.sessions = append(f.sessions, f.c.Begin(f.now, f.next, d, ""))
			}
			f.next += 4
		}
	case 2: // a stream of the peer's
		f.next += 4
		st := f.c.HandleStream(f.next + uint64(f.byte()%2)*2 + uint64(1-f.c.side))
		f.streams = append(f.streams, st)
		for _, b := range wire.AppendVarint(nil, uint64(f.byte())) {
			if st.Missing() > 0 {
				f.c.HandleHeader(f.now, st, []byte{b})
			}
		}
		if st.Missing() > 0 {
			f.c.HandleHeaderEnd(st)
		}
	case 3:
		f.now = f.now.Add(2e9)
		f.c.HandleDeadline(f.now)
		if at := f.c.Deadline(); !at.IsZero() && !at.After(f.now) {
			f.t.Fatalf("deadline %d is not after %d", at, f.now)
		}
	case 4:
		f.c.HandleDatagram(f.now, uint64(f.byte()), f.bytes())
	case 5:
		f.c.HandleGoAway()
	case 6:
		if f.byte() == 0 {
			f.c.HandleClose(io.ErrUnexpectedEOF)
		}
	case 17: // a flow control capsule
		if s, ok := pick(f, f.sessions); ok {
			s.HandleContent(f.now, appendCapsule(nil, CapsuleMaxData+h3.CapsuleType(f.byte()%8), uint64(f.byte())<<14))
		}
	case 18:
		if st, ok := pick(f, f.wanted); ok {
			f.wanted = f.wanted[:0]
			f.openOrAbandon(st)
		}
	default:
		if op < 12 {
			f.useSession(op)
		} else {
			f.useStream(op)
		}
	}
}

func (f *fuzzer) useSession(op byte) {
	s, ok := pick(f, f.sessions)
	if !ok {
		return
	}
	switch op {
	case 7:
		s.HandleContent(f.now, f.bytes())
	case 8:
		s.HandleContentEnd(f.now, []error{io.EOF, io.ErrUnexpectedEOF}[f.byte()%2])
	case 9:
		s.Close(f.now, uint32(f.byte()), string(f.bytes()))
	case 10:
		st := s.Open(Kind(f.byte() % 2))
		if may, _ := st.MayOpen(); may {
			f.openOrAbandon(st)
		}
	case 11:
		if st := s.Accept(Kind(f.byte() % 2)); st != nil && st.Session() != s {
			f.t.Fatal("accepted a stream of another session")
		}
		s.ReceiveDatagram()
		s.Drain()
	}
}

func (f *fuzzer) openOrAbandon(st *Stream) {
	if f.byte()%4 == 0 {
		st.Abandon()
		return
	}
	f.next += 4
	_ = st.Opened(f.next + uint64(st.Kind())<<1 + uint64(f.c.side))
	f.streams = append(f.streams, st)
}

func (f *fuzzer) useStream(op byte) {
	st, ok := pick(f, f.streams)
	if !ok {
		return
	}
	if st.Session() == nil { // it waits for one, or was refused
		switch op {
		case 14:
			st.HandleDiscarded(uint64(f.byte() % 8))
		case 16:
			st.HandleReset()
		}
		return
	}
	switch op {
	case 12:
		if n, _ := st.Allow(int(f.byte())); n > 0 {
			f.allowed[st] += n
		}
	case 13:
		n := min(f.allowed[st], int(f.byte()))
		f.allowed[st] -= n
		st.Unused(uint64(n))
		st.Forgo()
	case 14:
		st.Consumed(f.now, int(f.byte()))
		st.HandleDiscarded(uint64(f.byte() % 8))
	case 15:
		if st.Kind() == Bidi || !st.Session().isPeers(st.ID()) {
			st.Finish(f.now, 0)
		}
	case 16:
		st.HandleReset()
		st.ReceiveOver()
	}
}

// poll looks at what the machine says.
func (f *fuzzer) poll() {
	for _, e := range poll(f.c) {
		switch e.Kind {
		case EventEnded:
			if f.ended[e.Session] || e.Err == nil {
				f.t.Fatalf("a session ended twice, or for no reason: %v", e.Err)
			}
			f.ended[e.Session] = true
		case EventContent:
			if e.Session.Owes() && f.byte()%2 == 0 && len(e.Session.PollContent(nil)) == 0 {
				f.t.Fatal("nothing was owed")
			}
		case EventAdmission:
			if e.Admission.Waits() {
				f.t.Fatal("a request waits still")
			}
			e.Admission.Withdraw()
		case EventMayOpen:
			f.wanted = append(f.wanted, e.Stream)
		case EventReset, EventStop:
			half := [2]any{e.Stream, e.Kind}
			if f.over[half] {
				f.t.Fatalf("half a stream was cancelled twice")
			}
			f.over[half] = true
		}
	}
}

// check looks at the bounds.
func (f *fuzzer) check() {
	c := f.c
	if c.over == nil && (len(c.sessions) > c.admitted || c.admitted > c.conf.MaxSessions) {
		f.t.Fatalf("%d sessions, %d admitted", len(c.sessions), c.admitted)
	}
	early, earlyBytes := c.early.Held()
	if len(c.buffered) > maxBufferedStreams || c.held < 0 || c.held > maxConnDatagramBytes || early > h3.MaxEarlyDatagrams || earlyBytes > h3.MaxEarlyDatagramBytes || len(c.gone) > rememberedSessions || len(c.rejected) > maxRejected {
		f.t.Fatalf("%d streams wait, %d and %d bytes of datagrams, %d and %d sessions are remembered", len(c.buffered), c.held, earlyBytes, len(c.gone), len(c.rejected))
	}
	capsules := 0
	for _, s := range f.sessions {
		capsules += s.capsules.Held()
	}
	if f.account.held != c.held+earlyBytes+capsules {
		f.t.Fatalf("%d bytes are counted, of datagrams %d and %d are kept, of capsules %d", f.account.held, c.held, earlyBytes, capsules)
	}
	for _, s := range f.sessions {
		if (s.Err() != nil) != f.ended[s] {
			f.t.Fatalf("session ended with %v, and an event: %v", s.Err(), f.ended[s])
		}
		if s.flow == nil {
			continue
		}
		for k, ours := range s.flow.ours {
			if ours.used > ours.limit || ours.first != nil && ours.used < ours.limit && s.Err() == nil {
				f.t.Fatalf("kind %d: %d of %d are used, and somebody waits: %v", k, ours.used, ours.limit, ours.first != nil)
			}
		}
	}
}
