package wt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// world is two machines with hosts and a network that delivers the streams between
// them in pieces and in any order, all from one seed.
type world struct {
	rand    *rand.Rand
	now     monotime.Time
	hosts   [2]*host // client, server
	streams []*link  // in the order in which they were opened
	next    [2][2]uint64
	lose    float64 // of datagrams
	packets []packet
}

// packet is a datagram on its way.
type packet struct {
	to int
	id uint64
	p  []byte
}

// link is a stream of QUIC's with its two ends.
type link struct {
	id   uint64
	dirs [2]*pipe    // by who sends; nil if nobody does
	ends [2]*linkEnd // by side
}

// pipe is one direction of it.
type pipe struct {
	sent      []byte // not delivered yet
	total     int    // bytes written
	delivered int
	arrived   []byte // delivered and not read
	read      int
	settled   bool // what was not read is counted
	fin       bool
	reset     *uint64 // by the sender
	reliable  int     // so many bytes arrive in spite of it
	stop      *uint64 // by the receiver
	told      bool    // the receiver knows of the end
	toldStop  bool    // the sender knows of stop
}

// linkEnd is what a host knows of a stream.
type linkEnd struct {
	link    *link
	stream  *Stream
	session *Session // of a CONNECT stream
	typ     header   // of the peer's, the type or signal
}

// host executes what a machine says.
type host struct {
	w     *world
	side  int
	conn  *Conn
	log   []string
	ended map[*Session]error
	work  func(Event) // what the application does about an event
}

func newWorld(seed uint64, client, server *Config) *world {
	w := &world{rand: rand.New(rand.NewPCG(seed, 1)), now: monotime.Time(time.Hour)}
	for side, conf := range []*Config{client, server} {
		if conf == nil {
			conf = &Config{}
		}
		w.hosts[side] = &host{
			w: w, side: side, conn: NewConn(wire.Side(side), conf.WithDefaults()),
			ended: make(map[*Session]error), work: func(Event) {},
		}
	}
	return w
}

// settle exchanges the settings.
func (w *world) settle() {
	for side, h := range w.hosts {
		peer := w.hosts[1-side]
		h.conn.HandleSettings(&h3.Settings{Datagrams: true, Extra: peer.conn.AppendSettings(nil)}, true)
		h.run()
	}
}

// open opens a stream of QUIC's.
func (w *world) open(side int, k Kind) *link {
	n := &w.next[side][k]
	l := &link{id: *n<<2 | uint64(k)<<1 | uint64(side)}
	*n++
	l.dirs[side] = new(pipe)
	if k == Bidi {
		l.dirs[1-side] = new(pipe)
	}
	for s := range l.ends {
		l.ends[s] = &linkEnd{link: l}
	}
	w.streams = append(w.streams, l)
	return l
}

// connect opens a session, without the network's help, and returns both ends.
func (w *world) connect() (client, server *Session, err error) {
	c, s := w.hosts[0], w.hosts[1]
	d, err := c.conn.PrepareRequest()
	if err != nil {
		return nil, nil, err
	}
	l := w.open(0, Bidi)
	got, refusal := s.conn.CheckRequest(Request{Token: d.Token(), OffersDraft02: d == Draft02})
	if refusal == nil {
		refusal = s.conn.Admit(w.now, got).Refusal()
	}
	if refusal != nil {
		c.conn.Abandon()
		c.conn.HandleRefused(l.id)
		s.conn.HandleRefused(l.id)
		return nil, nil, refusal.Err
	}
	server = s.conn.Begin(w.now, l.id, got, "")
	l.ends[1].session, server.App = server, l.ends[1]
	s.run()
	client = c.conn.Begin(w.now, l.id, d, "")
	l.ends[0].session, client.App = client, l.ends[0]
	c.run()
	return client, server, nil
}

// run does what a machine's events say.
func (h *host) run() {
	var events [3]Event
	for n := h.conn.PollEvents(events[:]); n > 0; n = h.conn.PollEvents(events[:]) {
		for _, e := range events[:n] {
			h.execute(e)
		}
	}
}

func (h *host) execute(e Event) {
	switch e.Kind {
	case EventContent:
		h.sendContent(e.Session)
	case EventFinish:
		p := h.connect(e.Session).dirs[h.side]
		p.write(e.Data)
		p.fin = true
	case EventAbort, EventStopReading:
		h.log = append(h.log, fmt.Sprintf("%s %v", kindNames[e.Kind], e.Code))
		l := h.connect(e.Session)
		if e.Kind == EventAbort {
			l.dirs[h.side].cancel(uint64(e.Code))
		}
		l.dirs[1-h.side].stopped(uint64(e.Code))
	case EventReset:
		h.end(e.Stream).link.dirs[h.side].cancel(uint64(e.Code))
	case EventStop:
		h.stop(e.Stream, uint64(e.Code))
	case EventClose:
		h.end(e.Stream).link.dirs[h.side].fin = true
	case EventFail:
		h.log = append(h.log, fmt.Sprintf("fail %v", e.Code))
		h.conn.HandleClose(e.Err)
		h.run()
	case EventEnded:
		if h.ended[e.Session] != nil {
			panic("a session ended twice")
		}
		h.ended[e.Session] = e.Err
	}
	h.work(e)
}

var kindNames = map[EventKind]string{EventAbort: "abort", EventStopReading: "stop reading"}

func (h *host) end(st *Stream) *linkEnd  { return st.App.(*linkEnd) }
func (h *host) connect(s *Session) *link { return s.App.(*linkEnd).link }
func (h *host) out(s *Session) *pipe     { return h.connect(s).dirs[h.side] }
func (h *host) of(st *Stream) (in, out *pipe) {
	l := h.end(st).link
	return l.dirs[1-h.side], l.dirs[h.side]
}

// sendContent sends what a session owes, if all from before has left.
func (h *host) sendContent(s *Session) {
	if s.Owes() && len(h.out(s).sent) == 0 {
		h.out(s).write(s.PollContent(nil))
	}
}

// stop stops reading a stream, and counts what was not read once that is known.
func (h *host) stop(st *Stream, code uint64) {
	in, _ := h.of(st)
	in.stopped(code)
	h.settleDiscarded(st)
}

// settleDiscarded counts what was not read of a stream, once its final size is known.
func (h *host) settleDiscarded(st *Stream) {
	in, _ := h.of(st)
	if in.stop != nil && in.told && !in.settled && st.Session() != nil {
		in.settled, in.arrived = true, nil
		st.HandleDiscarded(uint64(in.total - in.read))
	}
}

func (p *pipe) write(b []byte) {
	if p.fin || p.reset != nil {
		panic("write after the end")
	}
	p.sent = append(p.sent, b...)
	p.total += len(b)
}

// cancel resets the direction: what was not sent never is, but for the header. It
// returns how many bytes were given up.
func (p *pipe) cancel(code uint64) (unsent int) {
	if p.reset != nil || p.told {
		return 0
	}
	p.reset, p.fin = &code, false
	keep := max(0, p.reliable-p.delivered)
	if unsent = len(p.sent) - keep; unsent < 0 {
		unsent = 0
	}
	p.sent = p.sent[:len(p.sent)-unsent]
	p.total -= unsent
	return unsent
}

func (p *pipe) stopped(code uint64) {
	if p.stop == nil {
		p.stop = &code
	}
}

var errReset = errors.New("reset")

// deliver moves something across the network and reports whether there was anything.
func (w *world) deliver() bool {
	type move struct {
		l   *link
		dir int
	}
	var moves []move
	for _, l := range w.streams {
		for dir, p := range l.dirs {
			if p != nil && (len(p.sent) > 0 || (p.fin || p.reset != nil) && !p.told || p.stop != nil && !p.toldStop) {
				moves = append(moves, move{l, dir})
			}
		}
	}
	if n := len(moves) + len(w.packets); n == 0 {
		return false
	} else if i := w.rand.IntN(n); i >= len(moves) {
		w.deliverPacket(i - len(moves))
		return true
	} else {
		w.move(moves[i].l, moves[i].dir)
	}
	return true
}

func (w *world) deliverPacket(i int) {
	p := w.packets[i]
	w.packets = append(w.packets[:i], w.packets[i+1:]...)
	if w.rand.Float64() >= w.lose {
		w.hosts[p.to].conn.HandleDatagram(w.now, p.id, p.p)
		w.hosts[p.to].run()
	}
}

// move delivers a piece of one direction.
func (w *world) move(l *link, dir int) {
	p, from, to := l.dirs[dir], w.hosts[dir], w.hosts[1-dir]
	if p.stop != nil && !p.toldStop {
		p.toldStop = true
		from.handleStop(l.ends[dir], *p.stop)
		from.run()
		return
	}
	if n := len(p.sent); n > 0 {
		n = 1 + w.rand.IntN(n)
		p.arrived = append(p.arrived, p.sent[:n]...)
		p.sent = p.sent[n:]
		p.delivered += n
	} else {
		p.told = true
	}
	to.handleReadable(l.ends[1-dir])
	to.run()
	if e := l.ends[dir]; e.session != nil && len(p.sent) == 0 && !p.fin && p.reset == nil {
		from.sendContent(e.session)
	}
}

// handleStop does what QUIC does: the stream is reset with the code.
func (h *host) handleStop(e *linkEnd, code uint64) {
	out := e.link.dirs[h.side]
	if out.reset != nil || out.told {
		return
	}
	unsent := out.cancel(code)
	if e.stream != nil {
		e.stream.Unused(uint64(unsent))
		e.stream.SendOver()
	}
}

// handleReadable hands what has arrived to whom it belongs.
func (h *host) handleReadable(e *linkEnd) {
	in := e.link.dirs[1-h.side]
	over := in.told && len(in.arrived) == 0
	switch {
	case e.session != nil:
		if len(in.arrived) > 0 {
			b := in.arrived
			in.arrived = nil
			e.session.HandleContent(h.w.now, b)
		} else if in.reset != nil {
			e.session.HandleContentEnd(h.w.now, errReset)
		} else if in.told {
			e.session.HandleContentEnd(h.w.now, io.EOF)
		}
	case e.stream == nil || e.stream.Missing() > 0:
		h.readHeader(e, in)
		if over && e.stream != nil && e.stream.Missing() > 0 {
			h.conn.HandleHeaderEnd(e.stream)
		}
	case in.stop != nil:
		h.settleDiscarded(e.stream)
	case over && in.reset != nil:
		e.stream.HandleReset()
	}
}

// readHeader reads a stream's type, as HTTP/3 does, and gives the machine the rest.
func (h *host) readHeader(e *linkEnd, in *pipe) {
	take := func(n int) []byte {
		n = min(n, len(in.arrived))
		b := in.arrived[:n]
		in.arrived = in.arrived[n:]
		in.read += n
		return b
	}
	for e.stream == nil && len(in.arrived) > 0 {
		e.typ.n += uint8(copy(e.typ.b[e.typ.n:], take(e.typ.missing())))
		if e.typ.missing() > 0 {
			continue
		}
		if want := [2][]byte{{0x40, 0x41}, {0x40, 0x54}}[KindOf(e.link.id)]; !bytes.Equal(e.typ.b[:e.typ.n], want) {
			panic("a stream that is not WebTransport's")
		}
		e.stream = h.conn.HandleStream(e.link.id)
		e.stream.App = e
	}
	for e.stream != nil && e.stream.Missing() > 0 && len(in.arrived) > 0 {
		h.conn.HandleHeader(h.w.now, e.stream, take(e.stream.Missing()))
	}
}

// openStream opens a stream that may be, and writes its header.
func (h *host) openStream(st *Stream) error {
	l := h.w.open(h.side, st.Kind())
	l.ends[h.side].stream, st.App = st, l.ends[h.side]
	_, out := h.of(st)
	out.write(st.AppendHeader(nil))
	out.reliable = out.total
	err := st.Opened(l.id)
	h.run()
	return err
}

// read reads up to n bytes of what has arrived.
func (h *host) read(st *Stream, n int) (b []byte, err error) {
	in, _ := h.of(st)
	n = min(n, len(in.arrived))
	b, in.arrived = in.arrived[:n], in.arrived[n:]
	in.read += n
	if n > 0 {
		st.Consumed(h.w.now, n)
	} else if in.told && in.reset != nil {
		st.ReceiveOver()
		err = errReset
	} else if in.told {
		st.ReceiveOver()
		err = io.EOF
	}
	h.run()
	return b, err
}

// write writes as much as is allowed.
func (h *host) write(st *Stream, b []byte) (n int, err error) {
	n, err = st.Allow(len(b))
	_, out := h.of(st)
	if err == nil && (out.reset != nil || out.fin) {
		st.Unused(uint64(n))
		return 0, errReset
	}
	if err == nil {
		out.write(b[:n])
	}
	h.run()
	return n, err
}

// finish finishes what this end sends.
func (h *host) finish(st *Stream) {
	_, out := h.of(st)
	if st.Finish(h.w.now, 0) && out.reset == nil {
		out.fin = true
	}
	h.run()
}

// cancelWrite resets a stream for the application.
func (h *host) cancelWrite(st *Stream, code uint32) {
	_, out := h.of(st)
	if out.reset == nil && !out.told {
		st.Unused(uint64(out.cancel(ToHTTP(code))))
	}
	st.SendOver()
	h.run()
}

// cancelRead stops reading a stream for the application.
func (h *host) cancelRead(st *Stream, code uint32) {
	h.stop(st, ToHTTP(code))
	st.ReceiveOver()
	h.run()
}

// quiesce delivers all that is under way.
func (w *world) quiesce() {
	for w.deliver() {
	}
}

// pass lets time pass, and does what is due.
func (w *world) pass(d time.Duration) {
	until := w.now.Add(d)
	for {
		next := monotime.Earliest(w.hosts[0].conn.Deadline(), w.hosts[1].conn.Deadline())
		if next.IsZero() || next.After(until) {
			w.now = until
			return
		}
		w.now = max(w.now, next)
		for _, h := range w.hosts {
			if at := h.conn.Deadline(); !at.IsZero() && !at.After(w.now) {
				h.conn.HandleDeadline(w.now)
				if at := h.conn.Deadline(); !at.IsZero() && !at.After(w.now) {
					panic("a deadline is not after now")
				}
				h.run()
			}
		}
		w.quiesce()
	}
}
