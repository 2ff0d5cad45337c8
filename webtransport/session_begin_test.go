package webtransport

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestBeginAtTheEnd begins a session when its connection is about to time out, so
// that this is forgotten before the loop gets to the session. That ends all the same.
func TestBeginAtTheEnd(t *testing.T) {
	simSession(t, &simScenario{}, func(t *testing.T, w *simWorld, _, server *Session) {
		w.network.Drop(func(_, _ netip.AddrPort, _ []byte) bool { return true })
		time.Sleep(time.Second) // until nothing is under way
		busy := make(chan struct{})
		event.Run(server.conn, func(event.Turn) {
			close(busy)
			time.Sleep(3 * time.Minute) // longer than the idle timeout
		})
		<-busy
		late := server.hub.begin(server.tunnel, wt.Draft15, "", func() {})
		select {
		case <-late.Context().Done():
		case <-time.After(simPatience):
			t.Fatal("the session does not end")
		}
		if err := context.Cause(late.Context()); !errors.As(err, new(*quic.IdleTimeoutError)) {
			t.Errorf("ended with %v", err)
		}
	})
}
