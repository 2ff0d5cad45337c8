package webtransport

import (
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// hub is WebTransport on one connection: the machine that decides, with a lock, and
// the loop that does what it says.
type hub struct {
	conn      *quic.Conn
	h3        *h3.Conn
	dedicated bool          // to one session of this end's
	settled   chan struct{} // closed when the peer's SETTINGS are known
	timed     bool          // what is received has to be known with its time
	draft     wt.Draft      // in which a client asks, always the same; set by PrepareConnect

	mu      sync.Mutex
	machine *wt.Conn // with all that belongs to it
	over    bool     // the connection is, so that the loop does nothing more for it
	posted  bool     // the loop is going to pump
	pumping bool
	timerAt monotime.Time // for when timer is set, zero if it is not

	timer event.Timer // for the machine's deadline; of the loop
}

func newHub(t event.Turn, c *h3.Conn, conf *wt.Config, dedicated bool) *hub {
	h := &hub{
		conn: t.Conn(), h3: c, dedicated: dedicated, settled: make(chan struct{}),
		timed: conf.IdleTimeout > 0, machine: wt.NewConn(c.Side(), conf),
	}
	h.machine.SetAccount(h)
	c.AddSettings(h.machine.AppendSettings(nil)...)
	c.Claim(wt.TypeUni, wt.SignalBidi)
	return h
}

// CountBuffered implements wt.Account.
func (h *hub) CountBuffered(n int) bool { return event.CountBuffered(h.conn, n) }

// tell tells the machine something, with f, and has the loop do what follows. Any
// goroutine may call it; it does not wait.
func (h *hub) tell(f func(m *wt.Conn)) {
	h.mu.Lock()
	f(h.machine)
	h.unlock()
}

// unlock gives the lock back, and has the loop do what follows from what was done with
// it.
func (h *hub) unlock() {
	post := !h.posted && !h.pumping && (h.machine.HasEvents() || h.timerAt != h.machine.Deadline())
	over := h.over
	h.posted = h.posted || post
	h.mu.Unlock()
	if post && (over || !event.Run(h.conn, h.pump)) {
		h.pump(event.Turn{}) // nobody else will
	}
}

// handle is tell for the loop, which does at once what follows.
func (h *hub) handle(t event.Turn, f func(m *wt.Conn)) {
	h.mu.Lock()
	f(h.machine)
	h.mu.Unlock()
	h.pump(t)
}

// pump does what the machine says. It runs on the loop, or without a Turn when that has
// nothing more to do for the connection.
func (h *hub) pump(t event.Turn) {
	var events [8]wt.Event
	h.mu.Lock()
	if h.pumping {
		h.mu.Unlock()
		return // whoever does goes on
	}
	h.pumping = true
	for n := h.machine.PollEvents(events[:]); n > 0; n = h.machine.PollEvents(events[:]) {
		h.mu.Unlock()
		for _, e := range events[:n] {
			h.execute(t, e)
		}
		h.mu.Lock()
	}
	h.pumping, h.posted = false, false
	h.setTimer(t)
	h.mu.Unlock()
}

// execute does what an event says.
func (h *hub) execute(t event.Turn, e wt.Event) {
	switch e.Kind {
	case wt.EventSettled:
		close(h.settled)
	case wt.EventFail:
		h.h3.AbortSoon(&h3.ConnError{Code: e.Code, Reason: reasonOf(e.Err)})
	case wt.EventAdmission:
		h.wake(e.Admission.App.(*waiter))
	case wt.EventMayOpen:
		h.wake(e.Stream.App.(*waiter))
	case wt.EventMayWrite:
		h.wake(&sendHalf(e.Stream).credit)
	case wt.EventReset:
		if in, ok := e.Stream.App.(*incoming); ok {
			in.ref.CancelWrite(uint64(e.Code))
		} else {
			sendHalf(e.Stream).reset(e.Code)
		}
	case wt.EventStop:
		if in, ok := e.Stream.App.(*incoming); ok {
			in.ref.CancelRead(uint64(e.Code))
		} else {
			receiveHalf(e.Stream).stop(e)
		}
	case wt.EventClose:
		_ = sendHalf(e.Stream).qs.Close()
	default:
		e.Session.App.(*Session).execute(t, e)
	}
}

// waiter is something that callers wait for. It is guarded by the hub's lock.
type waiter struct{ ready chan struct{} } // closed by wake; nil if nobody waits

// wait returns a channel that wake closes. The lock is held.
func (w *waiter) wait() <-chan struct{} {
	if w.ready == nil {
		w.ready = make(chan struct{})
	}
	return w.ready
}

// wake makes those look again who wait.
func (h *hub) wake(w *waiter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.ready != nil {
		close(w.ready)
		w.ready = nil
	}
}

// setTimer sets the timer for the machine's deadline. The lock is held.
func (h *hub) setTimer(t event.Turn) {
	at := h.machine.Deadline()
	if t == (event.Turn{}) || at == h.timerAt {
		return
	}
	if h.timerAt = at; at.IsZero() {
		t.StopTimer(&h.timer)
	} else {
		t.SetTimer(&h.timer, time.Duration(at), h)
	}
}

// HandleTimer implements event.TimerHandler: something is due.
func (h *hub) HandleTimer(t event.Turn, _ *event.Timer) {
	h.handle(t, func(m *wt.Conn) {
		h.timerAt = 0
		if at := m.Deadline(); !at.IsZero() && !at.After(turnNow(t)) {
			m.HandleDeadline(turnNow(t))
		}
	})
}

// heardNow is the time at which something was received, if that has to be known.
func (h *hub) heardNow() monotime.Time {
	if h.timed {
		return h.now()
	}
	return 1
}

// now is the present moment of the connection's clock, in any goroutine.
func (h *hub) now() monotime.Time { return monotime.Time(event.Moment(h.conn, time.Now())) }

// turnNow is that of a turn.
func turnNow(t event.Turn) monotime.Time { return monotime.Time(t.Now()) }

// HandleSettings implements h3ext.Conn.
func (h *hub) HandleSettings(t event.Turn) {
	h.handle(t, func(m *wt.Conn) { m.HandleSettings(h.h3.PeerSettings(), t.PeerResetStreamAt()) })
}

// HandleGoAway implements h3ext.Conn.
func (h *hub) HandleGoAway(t event.Turn) { h.handle(t, (*wt.Conn).HandleGoAway) }

// HandleRefused implements h3ext.Conn.
func (h *hub) HandleRefused(t event.Turn, id uint64) {
	h.handle(t, func(m *wt.Conn) { m.HandleRefused(id) })
}

// HandleClose implements h3ext.Conn.
func (h *hub) HandleClose(t event.Turn, err error) {
	h.handle(t, func(m *wt.Conn) {
		h.over = true
		m.HandleClose(err)
	})
}

// reasonOf returns what to say of a violation.
func reasonOf(err error) string {
	if violation, ok := err.(*h3.ConnError); ok {
		return violation.Reason
	}
	return err.Error()
}
