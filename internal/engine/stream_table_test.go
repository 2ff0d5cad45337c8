package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestStreamTable adds, finds and removes streams, few and many, and compares with a
// map.
func TestStreamTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var table streamTable
	want := map[wire.StreamID]*Stream{}
	for range 20000 {
		id := wire.StreamID(r.IntN(3 * fewStreams))
		if got := table.get(id); got != want[id] {
			t.Fatalf("stream %d is %v, want %v", id, got, want[id])
		}
		switch op := r.IntN(100); {
		case op == 0:
			table.trim()
			if len(want) <= fewStreams && table.many != nil {
				t.Fatalf("a map for %d streams", len(want))
			}
		case want[id] == nil && op < 50:
			want[id] = &Stream{ID: id}
			table.add(want[id])
		case want[id] != nil && op < 60:
			table.remove(want[id])
			if want[id].listed != nil {
				t.Fatal("a stream removed holds another")
			}
			delete(want, id)
		}
		seen := 0
		for s := range table.all() {
			seen++
			if want[s.ID] != s {
				t.Fatalf("stream %d is in the table", s.ID)
			}
		}
		if seen != len(want) || table.count != len(want) {
			t.Fatalf("%d streams, counted as %d, want %d", seen, table.count, len(want))
		}
	}
}
