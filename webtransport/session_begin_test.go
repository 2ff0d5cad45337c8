package webtransport

import (
	"context"
	"errors"
	"github.com/godwit-quic/godwit/internal/wt"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// TestBeginAtTheEnd begins a session when its connection is about to time out, so
// that this is forgotten before the loop gets to the session. That ends all the same.
func TestBeginAtTheEnd(t *testing.T) {
	simSession(t, &simScenario{}, func(t *testing.T, w *simWorld, _, server *Session) {
		w.network.Drop(func(_, _ netip.AddrPort, _ []byte) bool { return true })
		time.Sleep(time.Second) // until nothing is under way
		busy := make(chan struct{})
		server.conn.Run(func(*quic.Turn) {
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
