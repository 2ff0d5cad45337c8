package webtransport

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/quic/event"
)

// TestCloseComesBeforeResets: the peer learns why a session ends before it learns that
// the streams are reset. Chromium tells a page nothing of the code otherwise.
func TestCloseComesBeforeResets(t *testing.T) {
	ts := serve(t, nil, nil)
	d := ts.dialer()
	d.ShareConnections = true
	defer d.Close()
	for range 20 {
		client, server := ts.pair(d)
		var early atomic.Int32
		for range 5 {
			st, err := client.OpenStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			event.Run(client.conn, func(turn event.Turn) {
				turn.Handle(event.Of(st.ReceiveStream.qs), resetWatch{early: func() {
					if client.endedWith() == nil {
						early.Add(1)
					}
				}})
			})
			_, _ = st.Write([]byte("x"))
			accepted, err := server.AcceptStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = accepted.Write([]byte("x"))
			_, _ = st.Read(make([]byte, 1))
		}
		_ = server.CloseWithError(7, "why")
		if _, err := server.OpenStream(context.Background()); err == nil {
			t.Error("a stream was opened after the end")
		}
		wantSessionError(t, client, SessionError{Code: 7, Reason: "why", Remote: true})
		if n := early.Load(); n > 0 {
			t.Fatalf("%d of 5 streams were reset before the session's end was known", n)
		}
	}
}

// resetWatch calls a function when the peer resets a stream.
type resetWatch struct {
	*streamEnds
	early func()
}

func (w resetWatch) HandleEnd(_ event.Turn, _ event.Stream, end event.End) {
	if end.Kind == event.PeerReset {
		w.early()
	}
}

// TestWriteAfterClose fails at once, with the session's error.
func TestWriteAfterClose(t *testing.T) {
	ts := serve(t, nil, nil)
	client, _ := ts.pair(nil)
	st, err := client.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = client.CloseWithError(7, "why")
	if n, err := st.Write([]byte("x")); n != 0 || err != client.endedWith() {
		t.Errorf("%d bytes written, %v, want %v", n, err, client.endedWith())
	}
}
