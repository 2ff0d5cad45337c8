package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestMTUSearchBegins: a larger size is looked for by the side whose data fills
// packets, one large write or many small ones, and by both sides when they have
// agreed on datagrams.
func TestMTUSearchBegins(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		streams, size        int
		datagrams            bool
		wantClient, wantPeer int
	}{
		{name: "nothing to send", wantClient: 1200, wantPeer: 1200},
		{name: "a small request", streams: 1, size: 500, wantClient: 1200, wantPeer: 1200},
		{name: "many small requests", streams: 50, size: 70, wantClient: 1452, wantPeer: 1200},
		{name: "bulk", streams: 1, size: 20000, wantClient: 1452, wantPeer: 1200},
		{name: "datagrams", datagrams: true, wantClient: 1452, wantPeer: 1452},
	} {
		p := newDirectPair(func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide} })
		p.config.Datagrams = tt.datagrams
		p.dial(&sim.FakeTLS{Side: wire.ClientSide})
		for range tt.streams {
			s, err := p.client.OpenStream(false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Send.Write(make([]byte, tt.size)); err != nil {
				t.Fatal(err)
			}
			p.client.StreamWritten(s)
		}
		for range 3 {
			p.exchange()
		}
		client, peer := p.client.Stats().DatagramSize, p.server.Stats().DatagramSize
		if client != tt.wantClient || peer != tt.wantPeer {
			t.Errorf("%s: datagrams of %d and %d bytes, want %d and %d", tt.name, client, peer, tt.wantClient, tt.wantPeer)
		}
	}
}
