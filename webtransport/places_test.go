package webtransport

import (
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestSessionsInTurn has a client open and close sessions one after the other: it never
// has more than one, and is never told that it has too many.
func TestSessionsInTurn(t *testing.T) {
	ts := serve(t, &Config{MaxSessions: 1}, nil)
	d := ts.dialer()
	d.ShareConnections = true
	defer d.Close()
	for range 100 {
		s, _, err := d.Dial(testContext(t), "https://"+ts.addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.CloseWithError(0, "")
	}
}

// TestPlaceIsFreedAtOnce: a session has no place any more as soon as it has ended, while
// the event loop has not had time to forget it, and its handler still runs.
func TestPlaceIsFreedAtOnce(t *testing.T) {
	ts := serve(t, &Config{MaxSessions: 1}, nil)
	_, server := ts.pair(nil)
	blocked, release := make(chan struct{}), make(chan struct{})
	event.Run(server.conn, func(event.Turn) {
		close(blocked)
		<-release
	})
	<-blocked
	defer close(release)
	if n := server.hub.stats().Admitted; n != 1 {
		t.Errorf("%d places are taken, want one", n)
	}
	server.hub.tell(func(*wt.Conn) { server.machine.Close(server.hub.now(), 0, "") })
	if n := server.hub.stats().Admitted; n != 0 {
		t.Errorf("%d places are taken after the end", n)
	}
}

// TestNewcomerWaits: a request that comes before the news of the last session's end is
// not refused.
func TestNewcomerWaits(t *testing.T) {
	come := make(chan struct{}, 2)
	sessions := make(chan *Session, 2)
	ts := serveHandler(t, &Config{MaxSessions: 1}, func(w http.ResponseWriter, r *http.Request) {
		come <- struct{}{}
		if s, err := new(UpgradeConfig).Upgrade(w, r); err == nil {
			sessions <- s
		} else {
			t.Error(err)
		}
	})
	d := ts.dialer()
	d.ShareConnections = true
	defer d.Close()
	ts.dial(d)
	wait(t, "the first request", come)
	first := wait(t, "the first session", sessions)
	go func() {
		wait(t, "the second request", come)
		_ = first.CloseWithError(0, "")
	}()
	ts.dial(d)
}
