package http3

import (
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestIdleGoodbye closes an idle connection in steps, each of which the client learns
// of before the next: it is asked to go, its requests are answered until it knows,
// later ones are rejected, and only then the connection is closed.
func TestIdleGoodbye(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {}, func(s *Server) { s.IdleTimeout = short })
	c := ts.dialRaw(t)
	control, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if id := readGoAway(t, control); id != goAwayNotice {
		t.Errorf("GOAWAY %d, want a notice", id)
	}
	readMessage(t, c.request(true, headers(getFields)))
	if id := readGoAway(t, control); id != 4 {
		t.Errorf("GOAWAY %d, want 4", id)
	}
	c.wantClose("idle", h3.NoError)
}

// TestRequestAfterGoAway is rejected as one that was not processed, so that the client
// sends it again; the connection lives on until it is over.
func TestRequestAfterGoAway(t *testing.T) {
	release := make(chan struct{})
	ts := serve(t, func(http.ResponseWriter, *http.Request) { <-release }, func(s *Server) { s.IdleTimeout = time.Hour })
	c := ts.dialRaw(t)
	s := c.request(true, headers(getFields))
	if !eventually(func() bool { return len(ts.liveConns()) == 1 && ts.liveConns()[0].handlers.Load() == 1 }) {
		t.Fatal("the handler does not run")
	}
	event.Run(ts.liveConns()[0].qc, ts.liveConns()[0].leave)
	if !eventually(func() bool {
		left := make(chan bool, 1)
		event.Run(ts.liveConns()[0].qc, func(event.Turn) { left <- ts.liveConns()[0].machine.Left() })
		return <-left
	}) {
		t.Fatal("the connection stays")
	}
	wantReset(t, "after GOAWAY", c.request(true, headers(getFields)), h3.RequestRejected)
	close(release)
	readMessage(t, s)
}

// TestCloseDuringHandshake: a connection whose handshake was under way when the server
// closed learns that none of its requests was processed.
func TestCloseDuringHandshake(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	if !eventually(func() bool { return ts.altSvc.Load() != nil }) {
		t.Fatal("the listener is not served")
	}
	ts.stopListening(true)
	c := ts.dialRaw(t)
	control, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if id := readGoAway(t, control); id != 0 {
		t.Errorf("GOAWAY %d, want 0", id)
	}
	c.wantClose("during the handshake", h3.NoError)
}

// TestShutdownDuringHandshake: one whose handshake was under way when the server is shut
// down is answered what it asks first, and told to ask elsewhere.
func TestShutdownDuringHandshake(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	if !eventually(func() bool { return ts.altSvc.Load() != nil }) {
		t.Fatal("the listener is not served")
	}
	ts.stopListening(false) // which shuts the listener down only then
	c := ts.dialRaw(t)
	s := c.request(true, headers(getFields))
	control, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if id := readGoAway(t, control); id != goAwayNotice {
		t.Errorf("GOAWAY %d, want a notice", id)
	}
	readMessage(t, s)
	c.wantClose("during the handshake", h3.NoError)
}
