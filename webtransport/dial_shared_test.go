package webtransport

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
)

// Sessions with connections of their own on one QUICTransport end one after the other: none
// keeps the event loop that they share from its work. In virtual time, a loop that waits
// for itself waits as long as CloseWithError does.
func TestSessionEndsOnSharedSocket(t *testing.T) {
	leak.Check(t)
	synctest.Test(t, func(t *testing.T) {
		w := newSimWorld(t, &simScenario{}, 1)
		defer w.close()
		w.dialer.ShareConnections = false
		ctx, cancel := context.WithTimeout(t.Context(), simPatience)
		defer cancel()
		for i := range simSessions {
			client, _, err := w.dialer.Dial(ctx, "https://"+simServer.String()+simPath(i), nil)
			if err != nil {
				t.Fatal(err)
			}
			server := <-w.accepted[simPath(i)]
			begun := time.Now()
			_ = client.CloseWithError(0, "")
			<-client.QUIC().Done()
			if took := time.Since(begun); took >= time.Second {
				t.Errorf("the connection of session %d ended after %v", i, took)
			}
			<-server.Context().Done()
		}
	})
}
