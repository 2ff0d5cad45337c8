package http3

import (
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// TestTunnelDatagramsAreCounted: datagrams that nobody receives are part of what a server
// holds, and are dropped where it may hold no more; with the tunnel they are forgotten.
func TestTunnelDatagramsAreCounted(t *testing.T) {
	const (
		size   = 1000
		little = 100 << 10
	)
	for name, limit := range map[string]int64{"plenty": 0, "little": little} {
		t.Run(name, func(t *testing.T) {
			handler, tunnels := acceptAll()
			ts := serve(t, handler, enableTunnels, func(s *Server) {
				s.QUICTransportConfig = &quic.TransportConfig{MaxBufferedBytes: limit}
			})
			ts.transport.EnableDatagrams = true
			tunnel, _, err := ts.connect(t, "/")
			if err != nil {
				t.Fatal(err)
			}
			accepted := wait(t, "the tunnel", tunnels)
			for sent, done := 0, false; !done; sent++ {
				if sent == 1000 {
					t.Fatalf("%d bytes are held after %d datagrams, %d were dropped", ts.buffered(), sent, accepted.DatagramsDropped())
				}
				if err := tunnel.SendDatagram(make([]byte, size)); err != nil {
					t.Fatal(err)
				}
				if _, err := tunnel.Write([]byte("x")); err != nil { // comes after it
					t.Fatal(err)
				}
				if _, err := accepted.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				done = limit == 0 && ts.buffered() > 300*size || limit > 0 && accepted.DatagramsDropped() > 0
			}
			if held := ts.buffered(); limit > 0 && held > limit {
				t.Errorf("%d bytes are held, %d allowed", held, limit)
			}
			tunnel.Abort(0)
			accepted.Abort(0)
			if !eventually(func() bool { return ts.buffered() < size }) {
				t.Errorf("%d bytes are held after the end", ts.buffered())
			}
		})
	}
}

// TestDatagramAccountIsMadeOnce: goroutines that receive a tunnel's datagrams use the
// connection's account while other tunnels begin, so it is complete before the first.
func TestDatagramAccountIsMadeOnce(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	ts.transport.EnableDatagrams = true
	ts.do(t, "GET", "/", nil)
	c := ts.liveConns()[0]
	if c.datagrams.qc != c.qc {
		t.Error("without a tunnel the account is incomplete")
	}
	account := c.datagrams.qc
	for range 2 {
		if _, _, err := ts.connect(t, "/"); err != nil {
			t.Fatal(err)
		}
		wait(t, "the tunnel", tunnels)
	}
	if c.datagrams.qc != account {
		t.Error("a tunnel has changed the account")
	}
}
