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
				id := e.newID(&Conn{})
				short := wire.AppendShortHeader(nil, &id, false, false, 1, 1)
				if got, ok := ShardOf(short, n); !ok || got != shard {
					t.Fatalf("%d of %d: a short header is for %d, %v", shard, n, got, ok)
				}
				long, _ := wire.AppendLongHeader(nil, wire.HandshakePacket, wire.Version1, &id, &id, nil, 1, 1)
				if got, ok := ShardOf(long, n); !ok || got != shard {
					t.Fatalf("%d of %d: a Handshake packet is for %d, %v", shard, n, got, ok)
				}
				first, _ := wire.AppendLongHeader(nil, wire.InitialPacket, wire.Version1, &id, &id, nil, 1, 1)
				if _, ok := ShardOf(first, n); ok {
					t.Fatal("an Initial packet goes by address")
				}
			}
		}
	}
	vm, err := bpf.NewVM(SteeringFilter(5))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 1000 {
		b := make([]byte, 30)
		_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
		copy(b[1:], []byte{0, 0, 0, 1}[:4*(int(b[0])>>7)])
		want, ok := ShardOf(b, 5)
		if !ok {
			want = int(int32(-1))
		}
		if got, err := vm.Run(b); err != nil || int32(got) != int32(want) {
			t.Fatalf("%x: the filter says %d, %v; want %d", b, int32(got), err, want)
		}
	}
	for n := range 7 {
		if _, ok := ShardOf(make([]byte, n), 2); ok {
			t.Errorf("%d bytes have no ID", n)
		}
	}
}
