package event

import (
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// earlyHandler is told when the handshake is complete.
type earlyHandler struct {
	events chan string
}

func (h *earlyHandler) HandleStream(Turn, Stream) StreamHandler { return nil }
func (h *earlyHandler) HandleStreamsAvailable(Turn)             {}
func (h *earlyHandler) HandleClose(Turn, error)                 {}

// HandleHandshakeComplete implements EarlyHandler.
func (h *earlyHandler) HandleHandshakeComplete(t Turn) {
	if !t.HandshakeComplete() || !t.TLS().HandshakeComplete {
		h.events <- "not complete"
	}
	h.events <- "complete"
}

// An event-driven connection begins early, too.
func TestEarlyEvents(t *testing.T) {
	var events chan string
	s := setup{server: func(t Turn) Handler {
		if !t.HandshakeComplete() && !t.TLS().HandshakeComplete {
			events <- "early"
		}
		return &earlyHandler{events: events}
	}}
	synctest.Test(t, func(t *testing.T) {
		events = make(chan string, 10)
		e, end := newMemEnv(t, &quic.Config{Allow0RTT: true}, &quic.Config{Allow0RTT: true}, s)
		defer end()
		e.clientTLS.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		c := e.dial()
		time.Sleep(50 * time.Millisecond)
		c.CloseWithError(0, "")
		if len(events) != 0 {
			t.Errorf("the first connection: %v", <-events)
		}
		e.dial()
		for _, want := range []string{"early", "complete"} {
			if got := <-events; got != want {
				t.Errorf("%v, want %v", got, want)
			}
		}
	})
}
