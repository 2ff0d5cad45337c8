package http3

import (
	"cmp"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// headerTimeout is how long the header section of a request may take, 0 for any
// time.
func (s *Server) headerTimeout() time.Duration {
	return max(cmp.Or(s.ReadHeaderTimeout, s.ReadTimeout), 0)
}

// HandleTimer is called when all of the response has taken too long.
func (x *exchange) HandleTimer(t event.Turn, _ *event.Timer) {
	x.rw.using.Lock()
	defer x.rw.using.Unlock()
	x.enforced = 0
	if x.resp.deadline == 0 {
		return
	}
	left := time.Until(time.Unix(0, x.resp.deadline))
	switch {
	case left > 0: // the handler has moved it
		x.enforce(t, left)
	case x.rw.returned:
		x.Ref.CancelWrite(uint64(h3.InternalError))
	} // else writing fails, and the handler's return does the rest
}

// enforce has the response looked at when its deadline has come. The lock of
// responseWriter.using is held.
func (x *exchange) enforce(t event.Turn, left time.Duration) {
	if x.timer == nil {
		x.timer = new(event.Timer)
	}
	x.enforced = x.resp.deadline
	t.SetTimer(x.timer, t.Now()+left, x)
}

// stopTimer ends the wait for the response.
func (x *exchange) stopTimer(t event.Turn) {
	if x.timer != nil {
		t.StopTimer(x.timer)
		x.timer = nil
	}
}

// startTimeouts sets the deadlines of a request whose handler is about to run.
// Tunnels have none: they are there to stay.
func (x *exchange) startTimeouts(t event.Turn) {
	srv := x.conn.srv
	if x.resp.isTunnel {
		return
	}
	x.startPacing()
	if srv.ReadTimeout <= 0 && srv.WriteTimeout <= 0 {
		return
	}
	now := time.Now()
	if ended, _ := x.body.rs.Ended(); srv.ReadTimeout > 0 && !ended {
		_ = x.rw.SetReadDeadline(now.Add(srv.ReadTimeout))
	}
	if srv.WriteTimeout > 0 {
		_ = x.rw.SetWriteDeadline(now.Add(srv.WriteTimeout))
		x.rw.using.Lock()
		x.enforce(t, srv.WriteTimeout)
		x.rw.using.Unlock()
	}
}

// enforceDeadline has the response reset unless it has arrived in time, for a
// handler that has returned: what it wrote may wait for a client that takes
// nothing.
func (w *responseWriter) enforceDeadline() {
	x := w.exchange
	x.rw.using.Lock()
	defer x.rw.using.Unlock()
	switch {
	case w.deadline == 0:
	case time.Now().UnixNano() >= w.deadline:
		x.Ref.CancelWrite(uint64(h3.InternalError))
	case x.enforced == 0 || x.enforced > w.deadline: // the loop looks too late
		x.posted = true
		event.Run(x.conn.qc, func(t event.Turn) {
			x.rw.using.Lock()
			defer x.rw.using.Unlock()
			x.enforce(t, time.Until(time.Unix(0, x.resp.deadline))) // w may have no response any more
		})
	}
}
