package wt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// script is what the two applications of a world do: each opens streams, writes to them
// what its seed says or resets them after a while, reads what comes or stops reading,
// sends datagrams, and in the end one closes.
type script struct {
	w        *world
	sessions []*pairOf
	failure  error
}

// pairOf is a session with its two ends.
type pairOf struct {
	ends   [2]*Session
	toOpen [2][2]int
	busy   int // flows that are not over
	sent   [2]map[string]bool
}

// stream is one direction of a stream, as both ends know it.
type flowOf struct {
	pair    *pairOf
	from    int
	content []byte
	kind    int // what becomes of it
	code    uint32
	written int
	read    int
	over    [2]bool // sender, receiver
}

const (
	whole = iota
	resetAfter
	stopAfter
)

// of returns the flow of a direction of a stream, the same for both ends.
func (s *script) of(p *pairOf, from int, id uint64) *flowOf {
	r := rand.New(rand.NewPCG(id<<8|uint64(from), p.ends[0].ID()))
	f := &flowOf{pair: p, from: from, kind: r.IntN(5), code: r.Uint32()}
	f.content = make([]byte, []int{0, 1, 200, 5000}[r.IntN(4)])
	for i := range f.content {
		f.content[i] = byte(r.Uint32())
	}
	return f
}

// open is a stream that an application has.
type open struct {
	host    *host
	stream  *Stream
	in, out *flowOf // nil for a direction there is not
}

func (s *script) failf(format string, args ...any) {
	if s.failure == nil {
		s.failure = fmt.Errorf(format, args...)
	}
}

// run plays until everything that is to happen has, in any order.
func (s *script) run() error {
	w := s.w
	var streams []*open
	wanted := make(map[*Stream]*pairOf)
	add := func(h *host, p *pairOf, st *Stream) {
		o := &open{host: h, stream: st}
		if h.conn.side == w.hosts[0].conn.side != (st.ID()&1 == 0) || st.Kind() == Bidi {
			o.in = s.of(p, 1-h.side, st.ID())
		}
		if h.conn.side == w.hosts[0].conn.side == (st.ID()&1 == 0) || st.Kind() == Bidi {
			o.out = s.of(p, h.side, st.ID())
			p.busy++
		}
		if o.in != nil {
			p.busy++
		}
		streams = append(streams, o)
	}
	for _, h := range w.hosts {
		h.work = func(e Event) {
			if e.Kind == EventMayOpen && e.Session.Err() == nil && wanted[e.Stream] != nil {
				p := wanted[e.Stream]
				delete(wanted, e.Stream)
				if err := h.openStream(e.Stream); err == nil {
					add(h, p, e.Stream)
				}
			}
		}
	}
	for step := 0; s.failure == nil; step++ {
		if step > 3_000_000 {
			return errors.New("no end")
		}
		p := s.sessions[w.rand.IntN(len(s.sessions))]
		side := w.rand.IntN(2)
		h, session := w.hosts[side], p.ends[side]
		switch w.rand.IntN(8) {
		case 0: // open
			k := Kind(w.rand.IntN(2))
			if p.toOpen[side][k] > 0 && session.Err() == nil {
				p.toOpen[side][k]--
				st := session.Open(k)
				if ok, _ := st.MayOpen(); !ok {
					wanted[st] = p
				} else if err := h.openStream(st); err == nil {
					add(h, p, st)
				}
				h.run()
			}
		case 1: // accept
			if st := session.Accept(Kind(w.rand.IntN(2))); st != nil {
				add(h, p, st)
			}
		case 2:
			s.datagram(h, p, session)
		case 3, 4:
			if len(streams) > 0 {
				i := w.rand.IntN(len(streams))
				if s.use(streams[i]) {
					streams = append(streams[:i], streams[i+1:]...)
				}
			}
		default:
			if w.deliver() {
				continue
			}
			if len(streams) == 0 && len(wanted) == 0 && s.opened() {
				return s.end()
			}
			w.pass(lateEndDelay)
		}
	}
	return s.failure
}

func (s *script) opened() bool {
	for _, p := range s.sessions {
		if p.toOpen != [2][2]int{} || p.busy > 0 || p.ends[0].waiting[0].Len()+p.ends[0].waiting[1].Len()+p.ends[1].waiting[0].Len()+p.ends[1].waiting[1].Len() > 0 {
			return false
		}
	}
	return true
}

// use does something with a stream and reports whether it is over.
func (s *script) use(o *open) (over bool) {
	if o.out != nil && !o.out.over[0] {
		s.send(o)
	}
	if o.in != nil && !o.in.over[1] {
		s.receive(o)
	}
	return (o.out == nil || o.out.over[0]) && (o.in == nil || o.in.over[1])
}

func (s *script) send(o *open) {
	f, h := o.out, o.host
	n := min(len(f.content)-f.written, 1+s.w.rand.IntN(3000))
	if n > 0 {
		got, err := h.write(o.stream, f.content[f.written:f.written+n])
		f.written += got
		if err != nil && f.kind != stopAfter {
			s.failf("write to stream %d: %v", o.stream.ID(), err)
		}
		if err == nil {
			return
		}
		o.stream.SendOver()
	} else if f.kind == resetAfter {
		h.cancelWrite(o.stream, f.code)
	} else {
		h.finish(o.stream)
	}
	h.run()
	f.over[0] = true
	f.pair.busy--
}

func (s *script) receive(o *open) {
	f, h := o.in, o.host
	b, err := h.read(o.stream, 1+s.w.rand.IntN(3000))
	if !bytes.Equal(b, f.content[f.read:min(len(f.content), f.read+len(b))]) {
		s.failf("stream %d differs after %d bytes", o.stream.ID(), f.read)
	}
	f.read += len(b)
	switch in, _ := h.of(o.stream); {
	case err == errReset:
		if code, ok := FromHTTP(*in.reset); !ok || code != f.code || f.kind == whole {
			s.failf("stream %d was reset with %d", o.stream.ID(), code)
		}
	case err == io.EOF && f.read != len(f.content):
		s.failf("stream %d ends after %d bytes of %d", o.stream.ID(), f.read, len(f.content))
	case err == io.EOF:
	case f.kind == stopAfter && f.read == len(f.content):
		h.cancelRead(o.stream, f.code)
	default:
		return
	}
	f.over[1] = true
	f.pair.busy--
}

func (s *script) datagram(h *host, p *pairOf, session *Session) {
	if got, ok := session.ReceiveDatagram(); ok && !p.sent[1-h.side][string(got)] {
		s.failf("datagram %q was not sent, or twice", got)
	} else if ok {
		delete(p.sent[1-h.side], string(got))
	}
	text := fmt.Sprintf("%d of %d", s.w.rand.Uint32(), session.ID())
	if session.TakesDatagram(len(text)) && session.Err() == nil && len(s.w.packets) < 20 {
		p.sent[h.side][text] = true
		s.w.packets = append(s.w.packets, packet{1 - h.side, session.ID(), []byte(text)})
	}
}

// end closes all sessions and looks at what is left.
func (s *script) end() error {
	w := s.w
	for i, p := range s.sessions {
		side := w.rand.IntN(2)
		h := w.hosts[side]
		p.ends[side].Close(w.now, uint32(i), "bye")
		h.run()
		w.quiesce()
		want := SessionError{Code: uint32(i), Reason: "bye"}
		for _, end := range []int{side, 1 - side} {
			if got, ok := p.ends[end].Err().(*SessionError); !ok || *got != want {
				return fmt.Errorf("session ended with %v, want %v", p.ends[end].Err(), &want)
			}
			want.Remote = true
		}
	}
	w.pass(CloseTimeout)
	for _, h := range w.hosts {
		c := h.conn
		early, _ := c.early.Held()
		if len(c.sessions)+len(c.lingering)+len(c.buffered)+c.admitted+c.held+early != 0 || !c.Deadline().IsZero() || c.HasEvents() {
			return fmt.Errorf("side %d remembers %d sessions (%d admitted), %d that linger, %d streams, %d bytes; deadline %v", h.side, len(c.sessions), c.admitted, len(c.lingering), len(c.buffered), c.held, c.Deadline())
		}
		for _, p := range s.sessions {
			if err := p.check(h.side); err != nil {
				return err
			}
		}
	}
	return nil
}

// check compares what the two ends have counted.
func (p *pairOf) check(side int) error {
	s, peer := p.ends[side], p.ends[1-side]
	if s.streams != (streamList{}) {
		return fmt.Errorf("%d streams are known", s.streams.n)
	}
	if s.flow == nil {
		return nil
	}
	if used, done := s.flow.ours[data].used, peer.flow.theirs[data].done; used != done {
		return fmt.Errorf("side %d counts %d bytes as sent, the other one %d as received", side, used, done)
	}
	for _, k := range []Kind{Bidi, Uni} {
		if used, done := s.flow.ours[k].used, peer.flow.theirs[k].done; used != done {
			return fmt.Errorf("side %d counts %d streams of kind %d as opened, the other one %d as over", side, used, k, done)
		}
	}
	return nil
}

// TestPairs has sessions of every draft do much at once through small limits, with
// everything delivered in any order: bytes arrive once and whole, resets with their
// codes, both ends count alike, and nothing is left.
func TestPairs(t *testing.T) {
	for _, d := range Drafts {
		t.Run(fmt.Sprintf("draft%02d", d), func(t *testing.T) {
			for seed := range uint64(60) {
				if err := playPair(d, seed); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

func playPair(d Draft, seed uint64) error {
	conf := &Config{MaxStreams: 3, MaxData: 2000, MaxSessions: 3, Drafts: []Draft{d}}
	w := newWorld(seed, conf, conf)
	w.lose = 0.1
	w.settle()
	s := &script{w: w}
	for range 3 {
		p := new(pairOf)
		var err error
		if p.ends[0], p.ends[1], err = w.connect(); err != nil {
			return err
		}
		for side := range p.toOpen {
			p.toOpen[side] = [2]int{w.rand.IntN(8), w.rand.IntN(8)}
			p.sent[side] = make(map[string]bool)
		}
		s.sessions = append(s.sessions, p)
	}
	return s.run()
}
