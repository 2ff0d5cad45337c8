package http3

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// TestRoute: a Transport goes where its Route says, on the socket that it says, and asks
// for the origin there.
func TestRoute(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host + " " + r.RemoteAddr)) })
	socket, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	ts.transport.TLSClientConfig.ServerName = "" // localhost's is to be asked for by itself
	asked := 0
	ts.transport.Route = func(_ context.Context, origin string) (*quic.Transport, string, error) {
		asked++
		switch {
		case origin == "localhost:1":
			return socket, ts.addr, nil
		case strings.HasPrefix(origin, "127.0.0.1:"):
			return nil, ts.addr, nil
		}
		return nil, "", errors.New("not allowed")
	}
	for range 2 {
		if got, want := fetch(t, ts, "https://localhost:1"), "localhost:1 "+socket.LocalAddr().String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := fetch(t, ts, "https://127.0.0.1:9"); !strings.HasPrefix(got, "127.0.0.1:9 ") || strings.HasSuffix(got, socket.LocalAddr().String()) {
		t.Errorf("%q, want another socket", got)
	}
	if asked != 2 {
		t.Errorf("asked %d times for two connections", asked)
	}
	_, err = ts.transport.RoundTrip(mustRequest(t, "https://192.0.2.1"))
	if err == nil || !strings.Contains(err.Error(), "not allowed") || !strings.Contains(err.Error(), "192.0.2.1:443") {
		t.Errorf("%v, want Route's error and the origin", err)
	}
}

// TestTransportLookupHost: hosts are looked up as QUICConfig says.
func TestTransportLookupHost(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host)) })
	ts.transport.QUICConfig = &quic.Config{LookupHost: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "godwit.example" {
			return nil, errors.New("no such host")
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
	_, port, _ := strings.Cut(ts.addr, ":")
	if got := fetch(t, ts, "https://godwit.example:"+port); got != "godwit.example:"+port {
		t.Errorf("%q", got)
	}
}

// fetch returns the content of a page.
func fetch(t *testing.T, ts *testServer, url string) string {
	t.Helper()
	s := &coalesceServer{testServer: ts}
	_, content := s.fetch(t, mustRequest(t, url))
	return content
}
