package http3

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestPostSetsTimer: what is done on the loop for other goroutines may give the machine a
// deadline, for which there is a timer at once.
func TestPostSetsTimer(t *testing.T) {
	type moments struct{ deadline, timer monotime.Time }
	found := make(chan moments, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		c := w.(*responseWriter).conn
		event.Run(c.qc, func(event.Turn) {
			c.Post(func() { c.machine.Leave(h3event.Now(c.turn), time.Hour) })
			event.Run(c.qc, func(event.Turn) { found <- moments{c.machine.Deadline(), c.dueAt} })
		})
	})
	ts.do(t, "GET", "/", nil)
	if m := wait(t, "the timer", found); m.deadline == 0 || m.timer != m.deadline {
		t.Errorf("the timer is set for %v, the deadline is %v", m.timer, m.deadline)
	}
}

// TestFailedRequestsLetStreamsGo: the memory of a request's stream that no handler has
// seen is given back, but for streams that an extension has.
func TestFailedRequestsLetStreamsGo(t *testing.T) {
	for _, err := range []error{errors.New("refused"), h3.ErrExtension} {
		c := new(serverConn)
		x := newExchange(c, event.Stream{})
		c.HandleFailed(&x.body.rs, err)
		if got, want := x.unused.Load(), err != h3.ErrExtension; got != want {
			t.Errorf("%v: unused %v, want %v", err, got, want)
		}
	}
}
