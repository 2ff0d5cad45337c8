package port

import (
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/event"
)

// httpConn is HTTP/3 on a connection: package h3's machine, which decides, with what it
// needs of package quic, and what it tells of turned into events. Everything happens on
// the connection's loop.
type httpConn struct {
	*conn
	machine *h3.Conn
	turn    event.Turn // of the callback under way

	due     event.Timer   // waits for the machine's deadline
	dueAt   monotime.Time // when that is, 0 for never
	leaving bool          // the host wants the connection to end when nothing is left to do
	left    bool          // and the client has had the time to learn of it
	goAway  uint64        // the first request stream that the server will not process
	wt      *wtConn       // nil without WebTransport
	scratch []byte        // for responses
}

const (
	// maxFields is how many fields a header section may have: each takes more memory than
	// its bytes.
	maxFields = 500
	// loopHeader is the size of the largest header section that is decoded on the loop, in
	// bytes decoded: more would keep other connections waiting.
	loopHeader = 16 << 10
	// headerTime is how long a header may take from its first byte on.
	headerTime = 10 * time.Second
	// leaveTime is how long each of the two steps takes by which a server leaves: what
	// the client sends before it knows should arrive.
	leaveTime = 200 * time.Millisecond
	// tableCapacity and blockedStreams are what QPACK's dynamic table for the peer's
	// fields may have, in bytes, and how many streams may wait for it.
	tableCapacity, blockedStreams = 4 << 10, 100
	// maxBusyBacklog is how many bytes of events wait for the host when requests are
	// rejected for want of room.
	maxBusyBacklog = 1 << 20
	// httpUniStreams is how many unidirectional streams the peer may have: its control
	// stream, QPACK's two, and some of unknown types.
	httpUniStreams = 10
)

// newHTTPConn begins HTTP/3 on a connection.
func newHTTPConn(c *conn, t event.Turn) *httpConn {
	h := &httpConn{conn: c, turn: t, goAway: 1 << 62}
	side := wire.ServerSide
	if c.isClient {
		side = wire.ClientSide
	}
	conf := h3.Config{
		Side: side,
		Settings: h3.Settings{
			MaxFieldSectionSize:   uint64(c.maxHeader),
			QPACKMaxTableCapacity: tableCapacity, QPACKBlockedStreams: blockedStreams,
			ExtendedConnect: c.settings.wt && !c.isClient,
			Datagrams:       c.settings.wt,
		},
		MaxFields:     maxFields,
		HeaderTimeout: headerTime,
	}
	if !c.isClient {
		conf.LoopSection = loopHeader
	}
	h.machine = h3.NewConn(conf, h, h)
	if c.settings.wt {
		h.wt = newWTConn(h, side)
	}
	h.machine.Start(rand.Uint64())
	return h
}

// now is the present moment for the machine.
func now(t event.Turn) monotime.Time { return monotime.Time(t.Now()) }

// stream takes a stream that the peer opened.
func (h *httpConn) stream(t event.Turn, ref event.Stream) event.StreamHandler {
	h.turn = t
	s := h.newH3Stream(ref, nil)
	if ref.ID()&2 == 0 && !h.isClient {
		s.request = &request{http: h, below: s}
		s.request.rs.App = s.request
	}
	h.machine.HandleStream(now(t), ref.ID(), s)
	return s
}

// settle does what is left to do after anything that has happened.
func (h *httpConn) settle(t event.Turn) {
	h.turn = t
	if h.wt != nil {
		h.wt.pump()
	}
	h.closeIfOver()
	at := h.machine.Deadline()
	if h.wt != nil {
		at = monotime.Earliest(at, h.wt.deadline())
	}
	if at == h.dueAt || h.over {
		return
	}
	if h.dueAt = at; at.IsZero() {
		t.StopTimer(&h.due)
	} else {
		t.SetTimer(&h.due, time.Duration(at), h)
	}
}

// HandleTimer implements event.TimerHandler: something is due.
func (h *httpConn) HandleTimer(t event.Turn, _ *event.Timer) {
	h.turn, h.dueAt = t, 0
	if at := h.machine.Deadline(); !at.IsZero() && !at.After(now(t)) {
		h.machine.HandleDeadline(now(t))
	}
	if h.wt != nil {
		h.wt.expire()
	}
	h.settle(t)
}

// leave ends the connection when its requests have been answered.
func (h *httpConn) leave() {
	if h.leaving {
		return
	}
	h.leaving = true
	if h.isClient {
		h.left = true
	} else {
		h.machine.Leave(now(h.turn), leaveTime)
	}
	if h.wt != nil {
		h.wt.machine.HandleGoAway()
	}
}

// closeIfOver closes the connection that is to end, once nothing is left to do.
func (h *httpConn) closeIfOver() {
	if !h.leaving || !h.left || h.over || len(h.streams) > 0 || h.wt != nil && len(h.wt.sessions) > 0 {
		return
	}
	if h.isClient && h.wt != nil && h.wt.machine.Lingers() {
		return // a server that learns of the connection's end first forgets why the session has ended
	}
	if !h.isClient && h.turn.IncomingStreams() > 0 {
		return
	}
	h.turn.Close(uint64(h3.NoError), "")
}

// closed takes note that the connection has ended, and returns what to tell of it.
func (h *httpConn) closed(t event.Turn, err error, why *failure) *failure {
	h.turn = t
	h.machine.HandleClose()
	if h.wt != nil {
		h.wt.closed(err)
	}
	if why.kind == ErrApplication && why.code != uint64(h3.NoError) && why.code >= 0x100 {
		why.kind = ErrHTTP
	}
	return why
}

// A httpConn is the machine's Transport.

// OpenUni opens a stream of the machine's.
func (h *httpConn) OpenUni(handler h3.StreamHandler) h3.Stream {
	return h3event.OpenUni(&h.turn, handler)
}

// SendDatagram sends a DATAGRAM frame.
func (h *httpConn) SendDatagram(quarterID, p []byte) error { return h.q.SendDatagram(quarterID, p) }

// Close closes the connection for a violation of the protocol.
func (h *httpConn) Close(code h3.ErrorCode, reason string) { h.turn.Close(uint64(code), reason) }

// CountBuffered counts what is kept of header sections, and of WebTransport's datagrams and
// capsules.
func (h *httpConn) CountBuffered(n int) bool { return event.CountBuffered(h.turn.Conn(), n) }

// Post calls f on the loop, later. Any goroutine may call it.
func (h *httpConn) Post(f func()) {
	event.Run(h.q, func(t event.Turn) {
		h.turn = t
		f()
		h.settle(t)
	})
}

// Of the machine's Handler, what is of no request:

// HandleSettings is called when the peer's SETTINGS have arrived.
func (h *httpConn) HandleSettings(monotime.Time) {
	if h.wt != nil {
		h.wt.machine.HandleSettings(h.machine.PeerSettings(), h.turn.PeerResetStreamAt())
		h.wt.pump()
	}
}

// HandleGoAway is called when the peer wants to end the connection.
func (h *httpConn) HandleGoAway(_ monotime.Time, id uint64) {
	h.put(record{typ: uint8(EvDraining)})
	if h.isClient {
		h.goAway = id
		h.refuseFrom(id)
	}
	if h.wt != nil {
		h.wt.machine.HandleGoAway()
	}
}

// HandleLeft is called when what leave has begun is over.
func (h *httpConn) HandleLeft(monotime.Time) {
	h.left = true
	h.closeIfOver()
}

// HandleExtensionStream is called when the peer opened a stream of a session.
func (h *httpConn) HandleExtensionStream(_ monotime.Time, id, _ uint64, s h3.Stream) {
	h.wt.incoming(id, s)
}

// HandlePriority is called when a client changes the priority of a request.
func (h *httpConn) HandlePriority(id uint64, p h3.Priority) bool {
	ref := h.turn.StreamByID(id)
	if ref == (event.Stream{}) {
		return false
	}
	ref.SetPriority(p.Urgency, p.Incremental)
	return true
}
