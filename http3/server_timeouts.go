package http3

import (
	"context"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// headerTimeout is how long the header section of a request may take, 0 for any
// time.
func (s *Server) headerTimeout() time.Duration {
	if s.ReadHeaderTimeout > 0 {
		return s.ReadHeaderTimeout
	}
	return max(s.ReadTimeout, 0)
}

// awaitHeader bounds the time in which the rest of the header section must
// arrive. Most come whole, so that none is begun.
func (x *exchange) awaitHeader(t *quic.Turn) {
	limit := x.conn.srv.headerTimeout()
	if limit <= 0 || x.late != nil {
		return
	}
	x.late = new(quic.Timer)
	t.SetTimer(x.late, t.Now()+limit, x)
}

// HandleTimer is called when the header section has taken too long.
func (x *exchange) HandleTimer(t *quic.Turn, _ *quic.Timer) {
	if x.reading {
		x.abandon(t)
	}
}

// headerArrived ends awaitHeader.
func (x *exchange) headerArrived(t *quic.Turn) {
	if x.headerHeld > 0 {
		x.holdHeader(t, 0)
	}
	if x.late != nil {
		t.StopTimer(x.late)
		x.late = nil
	}
}

// startTimeouts sets the deadlines of a request whose handler is about to run.
// Tunnels have none: they are there to stay.
func (x *exchange) startTimeouts() {
	srv := x.conn.srv
	if x.rw.isTunnel {
		return
	}
	x.startPacing()
	if srv.ReadTimeout <= 0 && srv.WriteTimeout <= 0 {
		return
	}
	now := time.Now()
	if srv.ReadTimeout > 0 && !x.body.ended {
		_ = x.rw.SetReadDeadline(now.Add(srv.ReadTimeout))
	}
	if srv.WriteTimeout > 0 {
		_ = x.rw.SetWriteDeadline(now.Add(srv.WriteTimeout))
	}
}

// enforceDeadline has the response reset unless it has arrived in time, for a
// handler that has returned: what it wrote may wait for a client that takes
// nothing.
func (w *responseWriter) enforceDeadline() {
	deadline, stream := w.deadline, &w.exchange.stream // which nobody sets any more
	if deadline == 0 {
		return
	}
	_ = stream.SetWriteDeadline(time.Time{})
	timer := time.AfterFunc(time.Until(time.Unix(0, deadline)), func() { stream.CancelWrite(uint64(h3.InternalError)) })
	context.AfterFunc(stream.Context(), func() { timer.Stop() })
}
