package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// BenchmarkBulk moves bytes over one stream between two engines that hand each
// other their datagrams: the engine's own cost, both sides together.
func BenchmarkBulk(b *testing.B) {
	const piece = 64 << 10
	p := newDirectPair(func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide} })
	p.dial(&sim.FakeTLS{Side: wire.ClientSide})
	s, err := p.client.OpenStream(true)
	if err != nil {
		b.Fatal(err)
	}
	out, in := make([]byte, piece), make([]byte, piece)
	b.SetBytes(piece)
	b.ReportAllocs()
	var peer *engine.Stream
	for b.Loop() {
		for sent := 0; sent < piece; {
			n, err := s.Send.Write(out[sent:])
			if err != nil {
				b.Fatal(err)
			}
			sent += n
			p.client.StreamWritten(s)
			p.exchange()
			if peer == nil {
				peer = p.opened
			}
			for {
				n, err := peer.Recv.Read(in)
				if err != nil {
					b.Fatal(err)
				}
				if n == 0 {
					break
				}
				if peer.Recv.Consumed() {
					p.server.StreamConsumed(p.now, peer)
				}
			}
		}
	}
	b.ReportMetric(float64(p.packets)/float64(b.N), "packets/op")
}
