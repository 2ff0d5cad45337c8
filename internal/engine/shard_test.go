package engine

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/godwit-quic/godwit/internal/wire"
)

func TestShards(t *testing.T) {
	for n := 1; n <= MaxShards; n++ {
		for shard := range n {
			e := NewEndpoint(EndpointConfig{Seed: [32]byte{byte(n), byte(shard)}, Shard: shard, Shards: n})
			for range 20 {
				id := e.newID(&Conn{}).wire()
				short := wire.AppendShortHeader(nil, &id, false, false, 1, 1)
				if got := ShardOf(short, n); got != shard {
					t.Fatalf("%d of %d: a short header is for %d", shard, n, got)
				}
				for _, p := range []wire.PacketType{wire.InitialPacket, wire.HandshakePacket} {
					long, _ := wire.AppendLongHeader(nil, p, wire.Version1, &id, &id, nil, 1, 1)
					if got := ShardOf(long, n); got != shard {
						t.Fatalf("%d of %d: %v packet is for %d", shard, n, p, got)
					}
				}
			}
		}
	}
}

func TestSteeringFilter(t *testing.T) {
	vm, err := bpf.NewVM(SteeringFilter(5))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.NewChaCha8([32]byte{})
	for i := range 2000 {
		b := make([]byte, i%40)
		_, _ = r.Read(b)
		if got, err := vm.Run(b); err != nil || got != ShardOf(b, 5) {
			t.Fatalf("%x: the filter says %d, %v; want %d", b, got, err, ShardOf(b, 5))
		}
	}
}
