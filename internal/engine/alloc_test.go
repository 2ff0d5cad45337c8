//go:build !race

package engine_test

import (
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// bulkConfig has windows that a loopback transfer wants.
var bulkConfig = engine.Config{
	MaxBidiStreams: 10, MaxUniStreams: 10,
	InitialStreamWindow: 4 << 20, MaxStreamWindow: 4 << 20,
	InitialConnWindow: 8 << 20, MaxConnWindow: 8 << 20,
}

// TestBulkDoesNotAllocate moves bytes from the client, from the server, and
// both ways at once: once running, a packet allocates nothing on either side. (With the
// race detector, a sync.Pool forgets some of what it is given on purpose.)
func TestBulkDoesNotAllocate(t *testing.T) {
	const piece, rounds = 256 << 10, 40
	directions := map[string][]wire.Side{
		"client to server": {wire.ClientSide},
		"server to client": {wire.ServerSide},
		"both ways":        {wire.ClientSide, wire.ServerSide},
	}
	for name, senders := range directions {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, bulkConfig)
			var streams [2]*engine.Stream
			for _, side := range senders {
				s, err := p.ends[side].conn.OpenStream(true)
				if err != nil {
					t.Fatal(err)
				}
				streams[side] = s
			}
			data := make([]byte, piece)
			round := func() {
				for _, side := range senders {
					p.write(side, streams[side], data)
				}
			}
			for range 20 { // until windows, rings and pools have their size
				round()
			}
			packets, read := p.packets, p.ends[0].read+p.ends[1].read
			allocs := testing.AllocsPerRun(rounds, round) * (rounds + 1)
			packets = p.packets - packets
			read = p.ends[0].read + p.ends[1].read - read
			if want := piece * len(senders) * (rounds + 1); read < want*9/10 || packets < want/1500 {
				t.Fatalf("%d bytes in %d packets arrived of %d", read, packets, want)
			}
			if perPacket := allocs / float64(packets); perPacket > 0.05 {
				t.Errorf("%.3f allocations for each of %d packets", perPacket, packets)
			}
		})
	}
}

// BenchmarkTransfer moves bytes over one stream in either direction, both
// engines' cost together.
func BenchmarkTransfer(b *testing.B) {
	const piece = 64 << 10
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		b.Run(fmt.Sprint("from ", side), func(b *testing.B) {
			p := newPair(b, bulkConfig)
			s, err := p.ends[side].conn.OpenStream(true)
			if err != nil {
				b.Fatal(err)
			}
			data := make([]byte, piece)
			b.SetBytes(piece)
			b.ReportAllocs()
			for b.Loop() {
				p.write(side, s, data)
			}
			b.ReportMetric(float64(p.packets)/float64(b.N), "packets/op")
		})
	}
}
