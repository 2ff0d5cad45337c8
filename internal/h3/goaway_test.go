package h3

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestGoAwayTwice announces the end, takes what was on its way, and refuses what
// comes later; the client may be told so.
func TestGoAwayTwice(t *testing.T) {
	server, client := newState(wire.ServerSide, Settings{}), newState(wire.ClientSide, Settings{})
	var u peerStream
	if _, err := client.HandleUni(1, &u, server.AppendGoAwayNotice(noSettings)); err != nil {
		t.Fatal(err)
	}
	if id, ok := client.PeerGoAway(); !ok || id != 1<<62-4 {
		t.Errorf("notice %d, %v", id, ok)
	}
	wantCode(t, "request on its way", server.HandleRequestStream(8), 0, false)
	if _, err := client.HandleUni(1, &u, server.AppendGoAway(nil)); err != nil {
		t.Fatal(err)
	}
	if id, ok := client.PeerGoAway(); !ok || id != 12 {
		t.Errorf("final GOAWAY %d, %v", id, ok)
	}
	wantCode(t, "request too late", server.HandleRequestStream(12), RequestRejected, false)
}
