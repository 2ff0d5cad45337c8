package connid

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/godwit-quic/godwit/internal/wire"
)

// packets returns one packet of each kind to an ID.
func packets(id wire.ConnectionID) [][]byte {
	from, _ := wire.NewConnectionID([]byte("sender"))
	initial, _ := wire.AppendLongHeader(nil, wire.InitialPacket, wire.Version1, &id, &from, nil, 1, 1)
	handshake, _ := wire.AppendLongHeader(nil, wire.HandshakePacket, wire.Version2, &id, &from, nil, 1, 1)
	return [][]byte{wire.AppendShortHeader(nil, &id, false, false, 1, 1), initial, handshake}
}

// TestPlain: IDs of every length lead to the shard that they were made for, wherever the
// byte is that says it, and the kernel's filter says the same.
func TestPlain(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	random := func(b []byte) { _, _ = source.Read(b) }
	for length := 1; length <= wire.MaxConnectionIDLen; length++ {
		for at := range length {
			g := Plain{Length: length, ShardAt: at}
			for _, shards := range []int{1, 2, 4, 5, MaxShards} {
				if err := Check(g, shards); err != nil {
					t.Fatal(err)
				}
				run := filter(t, g, shards)
				for shard := range shards {
					b := g.New([]byte("before"), shard, shards, random)
					id, ok := wire.NewConnectionID(b[len("before"):])
					if !ok || id.Len() != length || string(b[:len("before")]) != "before" {
						t.Fatalf("%+v makes %x", g, b)
					}
					for _, p := range packets(id) {
						if got, ok := ShardOf(g, p, shards); got != shard || !ok || run(p) != shard {
							t.Fatalf("%+v, %x: shard %d, %v, of %d; the filter says %d, want %d", g, p, got, ok, shards, run(p), shard)
						}
					}
				}
			}
		}
	}
}

// filter returns what the kernel would make of a datagram.
func filter(t *testing.T, g Generator, shards int) func([]byte) int {
	t.Helper()
	if shards < 2 {
		return func([]byte) int { return 0 }
	}
	vm, err := bpf.NewVM(Filter(g, shards))
	if err != nil {
		t.Fatal(err)
	}
	return func(b []byte) int {
		n, err := vm.Run(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		return n
	}
}

// TestPlainIsRandom: an ID tells which event loop it is for, and nothing else of its connection
// (RFC 9000, Section 5.1).
func TestPlainIsRandom(t *testing.T) {
	source := rand.NewChaCha8([32]byte{2})
	random := func(b []byte) { _, _ = source.Read(b) }
	const shards, each = 4, 2000
	for _, g := range []Plain{{Length: 8}, {Length: 20, ShardAt: 7}} {
		values := make([]map[byte]bool, g.Length)
		seen := make(map[string]bool)
		for range each {
			id := g.New(nil, 3, shards, random)
			if seen[string(id)] {
				t.Fatalf("%+v makes %x twice", g, id)
			}
			seen[string(id)] = true
			for i, b := range id {
				if values[i] == nil {
					values[i] = make(map[byte]bool)
				}
				values[i][b] = true
			}
		}
		for i, v := range values {
			want := 256 // of 2000 random ones, about all
			if i == g.ShardAt {
				want /= shards
			}
			if len(v) < want*9/10 {
				t.Errorf("%+v: byte %d has %d values", g, i, len(v))
			}
		}
	}
}

// TestInventedIDs: what a client invents has a length of its own. Filter and ShardOf
// agree about it, and about garbage neither leaves the bounds.
func TestInventedIDs(t *testing.T) {
	const shards = 5
	r := rand.New(rand.NewPCG(2, 2))
	for length := 1; length <= wire.MaxConnectionIDLen; length++ {
		g := Plain{Length: length, ShardAt: length - 1}
		run := filter(t, g, shards)
		check := func(b []byte) {
			t.Helper()
			got, ok := ShardOf(g, b, shards)
			if n := run(b); n < 0 || n >= shards || ok && n != got {
				t.Fatalf("%+v, %x: shard %d, %v; the filter says %d", g, b, got, ok, n)
			}
		}
		for range 300 {
			b := make([]byte, r.IntN(wire.MaxConnectionIDLen+1))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			id, _ := wire.NewConnectionID(b)
			for _, p := range packets(id)[1:] {
				check(p)
				check(p[:r.IntN(len(p)+1)])
			}
			check(b)
		}
	}
}

// wrong makes IDs of the lengths it is given, by their first byte.
type wrong struct {
	Plain
	length func(first byte) int
}

func (w wrong) Len(first byte) int { return w.length(first) }

// What is wrong with a generator is said in time.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		g      Generator
		shards int
		want   string
	}{
		{Plain{}, 1, ""},
		{Plain{}, 2, "empty"},
		{Plain{Length: 20, ShardAt: 19}, 64, ""},
		{Plain{Length: 21}, 1, "21 bytes"},
		{Plain{Length: -1}, 1, "-1 bytes"},
		{Plain{Length: 4, ShardAt: 4}, 4, "byte 4"},
		{Plain{Length: 4, ShardAt: -1}, 4, "byte -1"},
		{wrong{length: func(first byte) int { return int(first >> 7) }}, 1, "some connection IDs are empty"},
		{wrong{length: func(first byte) int { return 8 + int(first>>6) }}, 4, ""},
	} {
		err := Check(tt.g, tt.shards)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v for %d shards: %v, want %q", tt.g, tt.shards, err, tt.want)
		}
	}
}
