package webtransport

import (
	"context"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// TestDialRoute: sessions go where Route says, on the socket that it says.
func TestDialRoute(t *testing.T) {
	ts := serve(t, nil, nil)
	socket, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	d := ts.dialer()
	origin := ""
	d.Route = func(_ context.Context, o string) (*quic.Transport, string, error) {
		origin = o
		return socket, o, nil
	}
	client, server := ts.pair(d)
	defer client.CloseWithError(0, "")
	if got, want := server.QUIC().RemoteAddr().String(), socket.LocalAddr().String(); got != want || origin == "" {
		t.Errorf("the session of %q comes from %v, not from %v", origin, got, want)
	}
}
