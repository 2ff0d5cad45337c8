package port

import (
	"cmp"
	"io"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

// wtConn is WebTransport on a connection: package wt's machine, and what follows of what
// it says.
type wtConn struct {
	http     *httpConn
	machine  *wt.Conn
	sessions map[uint32]*session // that the host knows, or is about to
	waiting  []*session          // for the peer's SETTINGS
	patience monotime.Time       // when those are given up, 0 while none waits
	opening  []func() bool       // what waits for the peer to allow a stream; true: it need not any more
	pumping  bool
}

// newWTConn has a connection offer WebTransport.
func newWTConn(h *httpConn, side wire.Side) *wtConn {
	conf := wt.Config{MaxSessions: h.maxSessions, MaxStreams: h.settings.maxStreams}
	w := &wtConn{http: h, machine: wt.NewConn(side, conf.WithDefaults()), sessions: make(map[uint32]*session)}
	w.machine.SetAccount(h)
	h.machine.AddSettings(w.machine.AppendSettings(nil)...)
	h.machine.Claim(wt.TypeUni, wt.SignalBidi)
	return w
}

// pump does what the machine says.
func (w *wtConn) pump() {
	if w.pumping {
		return // whoever does goes on
	}
	w.pumping = true
	defer func() { w.pumping = false }()
	var events [8]wt.Event
	for n := w.machine.PollEvents(events[:]); n > 0; n = w.machine.PollEvents(events[:]) {
		for i := range events[:n] {
			w.execute(&events[i])
		}
	}
}

// execute does what an event says.
func (w *wtConn) execute(e *wt.Event) {
	t := w.http.turn
	switch e.Kind {
	case wt.EventSettled:
		waiting := w.waiting
		w.waiting, w.patience = nil, 0
		for _, s := range waiting {
			s.settled()
		}
	case wt.EventFail:
		w.http.machine.Abort(e.Err)
	case wt.EventAdmission:
		e.Admission.App.(*session).admitted()
	case wt.EventIncoming:
		if st := e.Session.Accept(e.Stream.Kind()); st != nil {
			st.App.(*wtStream).accept(e.Session.App.(*session))
		}
	case wt.EventMayOpen:
		e.Stream.App.(*wtStream).mayOpen()
	case wt.EventMayWrite:
		if s := e.Stream.App.(*wtStream).stream; s != nil {
			s.flush(t)
		}
	case wt.EventReset:
		x := e.Stream.App.(*wtStream)
		x.ref.CancelWrite(uint64(e.Code))
	case wt.EventStop:
		x := e.Stream.App.(*wtStream)
		x.ref.CancelRead(uint64(e.Code))
	case wt.EventClose:
		_, _ = t.WriteLast(e.Stream.App.(*wtStream).ref, nil)
	default:
		e.Session.App.(*session).execute(e)
	}
}

// awaitSettings has a session go on when the peer's SETTINGS are known, for which it may
// take as long as for a handshake.
func (w *wtConn) awaitSettings(s *session) {
	if w.patience.IsZero() {
		w.patience = now(w.http.turn).Add(cmp.Or(w.http.quic.HandshakeTimeout, defaultHandshakeTimeout))
	}
	w.waiting = append(w.waiting, s)
}

// defaultHandshakeTimeout is quic.Config's.
const defaultHandshakeTimeout = 10 * time.Second

// deadline returns when something is due, 0 for never.
func (w *wtConn) deadline() monotime.Time {
	return monotime.Earliest(w.machine.Deadline(), w.patience)
}

// expire does what is due.
func (w *wtConn) expire() {
	t := now(w.http.turn)
	if at := w.machine.Deadline(); !at.IsZero() && !at.After(t) {
		w.machine.HandleDeadline(t)
	}
	if w.patience.IsZero() || w.patience.After(t) {
		return
	}
	waiting := w.waiting
	w.waiting, w.patience = nil, 0
	for _, s := range waiting {
		if !s.over && !w.http.isClient {
			s.refuse(&wt.Refusal{Code: h3.RequestRejected})
		}
		s.never(errSilent)
	}
}

// errSilent is why sessions fail with a peer that never sends SETTINGS.
var errSilent = fault(ErrHandshakeTimeout, "the peer has not sent SETTINGS")

// closed ends all sessions for the end of the connection.
func (w *wtConn) closed(err error) {
	w.machine.HandleClose(err)
	w.pump()
	for _, s := range w.sessions {
		s.never(describe(err))
	}
	w.opening = nil
}

// available goes on with what waits for the peer to allow a stream.
func (w *wtConn) available() {
	for len(w.opening) > 0 && w.opening[0]() {
		w.opening = w.opening[1:]
	}
}

// open calls f, which opens a stream, when the peer allows one: at once, or later.
func (w *wtConn) open(f func() bool) {
	if len(w.opening) > 0 || !f() {
		w.opening = append(w.opening, f)
	}
}

// resume lets datagrams go on for which there was no room.
func (w *wtConn) resume() {
	for _, s := range w.sessions {
		s.tellDatagrams()
	}
}

// do carries out a command for sessions, or for what may belong to one.
func (h *httpConn) doSession(t event.Turn, r *record) {
	w := h.wt
	if w == nil {
		h.complain(r, fault(ErrCommand, "command %d needs WebTransport: see the option webtransport", r.typ))
		h.tooLate(r)
		return
	}
	switch Command(r.typ) {
	case CmdOpen:
		w.openStream(t, r)
		return
	case CmdSession:
		w.beginSession(r)
		return
	}
	s := w.sessions[r.id]
	if s == nil {
		return // it has ended, perhaps
	}
	switch Command(r.typ) {
	case CmdAccept:
		s.accept(r)
	case CmdRespond:
		s.reject(r)
	case CmdClose:
		s.close(r)
	case CmdDrain:
		if s.machine != nil {
			s.machine.Drain()
		}
	case CmdExport:
		s.export(r)
	default:
		h.complain(r, fault(ErrCommand, "command %d is not for sessions", r.typ))
	}
}

// openStream opens a stream of the host's in a session.
func (w *wtConn) openStream(t event.Turn, r *record) {
	h := w.http
	if r.id == 0 || r.id&peers != 0 || h.streams[r.id] != nil || w.sessions[r.id] != nil {
		h.complain(r, fault(ErrCommand, "the handle %d of a stream is in use, or none of a host's", r.id))
		return
	}
	owner := w.sessions[r.u32()]
	x := &wtStream{wt: w, session: owner, now: r.has(flagNow)}
	x.stream = h.newStream(r.id, x)
	x.stream.uni = r.has(flagUni)
	x.stream.in.over = x.stream.uni
	if owner == nil {
		x.stream.end(fault(ErrCancelled, "the session is not there any more"))
		return
	}
	x.stream.session = owner.id
	if owner.machine != nil {
		x.want()
	} else {
		owner.early = append(owner.early, x)
	}
}

// sendDatagram sends a datagram of a session.
func (h *httpConn) sendDatagram(r *record) error {
	if h.wt == nil {
		return h3.ErrDatagramsDisabled
	}
	s := h.wt.sessions[r.id]
	if s == nil || s.machine == nil || !s.machine.TakesDatagram(len(r.payload)) {
		return nil // it has ended, or is not there yet: datagrams may be lost
	}
	return s.x.rs.SendDatagram(r.payload)
}

// incoming takes a stream of the peer's that belongs to a session.
func (w *wtConn) incoming(id uint64, below h3.Stream) {
	if w.http.port.ev.backlog() > maxBacklog {
		w.http.turn.Close(uint64(h3.ExcessiveLoad), "the application does not take its events")
		return
	}
	s := h3event.Of(below)
	x := &wtStream{wt: w, ref: s, machine: w.machine.HandleStream(id)}
	x.machine.App = x
	if s, ok := below.(*h3Stream); ok && s.request != nil {
		s.request.below = nil
		s.request = nil
	}
	w.http.turn.Handle(s, x)
	x.HandleReadable(w.http.turn, s)
}

// session is a session as the host knows it, from its request on.
type session struct {
	wt       *wtConn
	id       uint32
	x        *request
	machine  *wt.Session   // nil before it is there
	head     wt.Request    // at a server: what the draft depends on
	draft    wt.Draft      // as agreed
	offered  []string      // subprotocols of a client's request
	response *acceptance   // of the host's, while there is no place for the session yet
	wait     *wt.Admission // for that place
	streams  map[*wtStream]struct{}
	early    []*wtStream // that the host has opened before the session was there
	asked    bool        // at a client: the machine counts it
	over     bool        // the host knows that it has ended
}

// execute does what an event says of the session.
func (s *session) execute(e *wt.Event) {
	h := s.wt.http
	switch e.Kind {
	case wt.EventDatagram:
		s.tellDatagrams()
	case wt.EventDraining:
		h.put(record{typ: uint8(EvDraining), id: s.id})
	case wt.EventEnded:
		s.ended(describe(e.Err))
	case wt.EventContent:
		s.sendContent()
	case wt.EventFinish:
		s.x.below.Ref.SetPriority(0, true)
		s.x.rs.SendLast(e.Data)
	case wt.EventAbort:
		s.x.rs.Cancel(e.Code)
	case wt.EventStopReading:
		s.x.below.Stop(e.Code)
	}
}

// begin begins the session, which both ends want.
func (s *session) begin(protocol string) {
	w := s.wt
	s.machine = w.machine.Begin(now(w.http.turn), s.x.rs.ID(), s.draft, protocol)
	s.machine.App = s
}

// opened lets what has waited for the session go on, once the host knows that it is there.
func (s *session) opened() {
	s.readContent()
	early := s.early
	s.early = nil
	for _, x := range early {
		x.want()
	}
}

// tellDatagrams tells of datagrams that have come.
func (s *session) tellDatagrams() {
	if s.machine == nil {
		return
	}
	c := s.wt.http.conn
	for {
		if !c.port.ev.hasBulk(maxDatagram) {
			c.await()
			return
		}
		b, ok := s.machine.ReceiveDatagram()
		if !ok {
			return
		}
		c.tellDatagram(s.id, b)
	}
}

// readContent reads what has come on the CONNECT stream.
func (s *session) readContent() {
	if s.machine == nil {
		return
	}
	var buf [2048]byte
	for {
		n, err := s.x.rs.Read(buf[:])
		if n > 0 {
			s.machine.HandleContent(now(s.wt.http.turn), buf[:n])
		}
		switch {
		case err != nil:
			s.contentEnded(err)
			return
		case n == 0:
			return
		}
	}
}

// contentEnded takes note that nothing more will come on the CONNECT stream: err is
// io.EOF if the peer has finished it.
func (s *session) contentEnded(err error) {
	if s.machine != nil {
		s.machine.HandleContentEnd(now(s.wt.http.turn), err)
	} else if err != io.EOF {
		s.never(describe(err))
	}
}

// sendContent sends what the machine has to say. While the peer has not taken what it was
// told before, nothing is sent: httpConn.HandleWritable is the next to look.
func (s *session) sendContent() {
	if s.machine == nil || !s.machine.Owes() || s.x.rs.Unsent() > 0 || s.x.below.Ref.Unsent() > 0 {
		return
	}
	if b := s.machine.PollContent(nil); len(b) > 0 {
		_ = s.x.rs.Send(b) // nothing is kept before
	}
}

// close closes the session, or gives it up.
func (s *session) close(r *record) {
	if s.machine != nil {
		s.machine.Close(now(s.wt.http.turn), uint32(min(r.u64(), 1<<32-1)), r.textAfter(8))
		return
	}
	if s.x.below != nil && s.x.below.Ref != (event.Stream{}) {
		s.x.rs.Cancel(h3.RequestCancelled)
	}
	s.never(fault(ErrCancelled, "closed before it was there"))
}

// ended tells that a session that was there has ended, and all that belongs to it.
func (s *session) ended(why *failure) {
	if s.over {
		return
	}
	s.over = true
	for x := range s.streams {
		if x.stream != nil {
			x.stream.end(why)
		}
	}
	s.streams = nil
	s.forget()
	s.wt.http.put(why.record(EvClosed, s.id))
}

// never tells that a session will not be there.
func (s *session) never(why *failure) {
	if s.over || s.machine != nil {
		return
	}
	s.over = true
	switch {
	case s.wait != nil:
		s.wait.Withdraw()
	case s.asked:
		s.wt.machine.Abandon()
	}
	if !s.wt.http.isClient && s.x.below != nil {
		s.wt.machine.HandleRefused(s.x.rs.ID())
	}
	for _, x := range s.early {
		x.stream.end(why)
	}
	s.early = nil
	if s.wt.sessions[s.id] == s { // otherwise the host does not know of it
		s.forget()
		s.wt.http.put(why.record(EvEnded, s.id))
	}
}

// forget makes the session's handle name nothing.
func (s *session) forget() { delete(s.wt.sessions, s.id) }

// failed tells that there will be no response.
func (s *session) failed(why *failure) { s.never(why) }

// requestOver takes note that the CONNECT stream is over in both directions.
func (s *session) requestOver() {
	if s.machine != nil {
		s.machine.HandleOver()
	} else {
		s.never(&none)
	}
}
