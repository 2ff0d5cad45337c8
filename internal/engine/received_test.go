package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// receivedModel remembers every number that arrived.
type receivedModel struct {
	all      map[wire.PacketNumber]bool
	largest  wire.PacketNumber
	told     wire.PacketNumber // the peer knows of everything up to it
	overflow bool              // there were once too many ranges to keep
}

// check compares what is kept with all that arrived.
func (m *receivedModel) check(r *received) error {
	if len(r.ranges) > maxAckRanges {
		return fmt.Errorf("%d ranges", len(r.ranges))
	}
	m.overflow = m.overflow || len(r.ranges) == maxAckRanges
	reported := make(map[wire.PacketNumber]bool)
	for i, x := range r.ranges {
		if x.Smallest > x.Largest || i > 0 && x.Largest >= r.ranges[i-1].Smallest-1 {
			return fmt.Errorf("ranges %v", r.ranges)
		}
		for pn := x.Smallest; pn <= x.Largest; pn++ {
			if !m.all[pn] {
				return fmt.Errorf("%d is reported and never came", pn)
			}
			reported[pn] = true
		}
	}
	for pn := range m.all {
		if !r.seen(pn) {
			return fmt.Errorf("%d came and would be taken again", pn)
		}
		if pn > m.told && !m.overflow && !reported[pn] {
			return fmt.Errorf("%d came, the peer was not told, and it is not reported: %v", pn, r.ranges)
		}
	}
	if r.largest() != m.largest {
		return fmt.Errorf("largest %d, want %d", r.largest(), m.largest)
	}
	if len(m.all) > 0 && !reported[m.largest] {
		return fmt.Errorf("the largest is not reported")
	}
	return nil
}

// TestReceivedModel feeds random numbers, near each other or far apart, with
// acknowledgments of our ACKs between them.
func TestReceivedModel(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 9))
		spread := 1 + random.IntN(60)
		var r received
		m := receivedModel{all: make(map[wire.PacketNumber]bool), largest: wire.NoPacket, told: wire.NoPacket}
		var acked []wire.PacketNumber // largest numbers of ACK frames we sent
		for range 150 {
			pn := max(0, r.largest()+wire.PacketNumber(random.IntN(spread+2)-spread/2))
			if !r.seen(pn) {
				r.add(1, pn, true, 0)
				m.all[pn] = true
				m.largest = max(m.largest, pn)
			}
			if random.IntN(5) == 0 {
				acked = append(acked, r.largest())
			}
			if n := len(acked); n > 0 && random.IntN(8) == 0 {
				told := acked[random.IntN(n)]
				r.acknowledged(told)
				m.told = max(m.told, told)
			}
			if err := m.check(&r); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// TestReceivedUrgent: when an acknowledgment goes out at once (RFC 9000,
// Section 13.2.1).
func TestReceivedUrgent(t *testing.T) {
	type packet struct {
		pn        wire.PacketNumber
		eliciting bool
		ecn       path.ECN
		want      bool
	}
	tests := []struct {
		name    string
		packets []packet
	}{
		{"every second", []packet{{0, true, 0, false}, {1, true, 0, true}}},
		{"only those that ask count", []packet{{0, true, 0, false}, {1, false, 0, false}, {2, false, 0, false}, {3, true, 0, true}}},
		{"a gap", []packet{{0, false, 0, false}, {2, true, 0, true}}},
		{"a gap that does not ask", []packet{{0, false, 0, false}, {2, false, 0, false}}},
		{"an old one", []packet{{5, false, 0, false}, {3, true, 0, true}}},
		{"marked", []packet{{0, true, path.CE, true}}},
		{"able to be marked", []packet{{0, true, path.ECT0, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r received
			for _, p := range tt.packets {
				if got := r.add(1, p.pn, p.eliciting, p.ecn); got != p.want {
					t.Fatalf("packet %d: urgent %v, want %v", p.pn, got, p.want)
				}
			}
			r.sent()
			if r.urgent || r.unacked != 0 {
				t.Fatal("still urgent once sent")
			}
		})
	}
}

// The delay is measured from the largest number's arrival.
func TestReceivedLargestAt(t *testing.T) {
	var r received
	for _, p := range []struct {
		at monotime.Time
		pn wire.PacketNumber
	}{{10, 5}, {20, 3}, {30, 4}} {
		r.add(p.at, p.pn, true, 0)
	}
	if r.largestAt != 10 {
		t.Fatalf("measured from %d", r.largestAt)
	}
}

func TestReceivedECN(t *testing.T) {
	var r received
	r.add(1, 0, true, path.NotECT)
	if r.ecn() != nil {
		t.Fatal("counts without a mark")
	}
	for pn, ecn := range []path.ECN{path.ECT0, path.ECT0, path.ECT1, path.CE, path.NotECT} {
		r.add(1, wire.PacketNumber(1+pn), true, ecn)
	}
	if got := r.ecn(); got == nil || *got != (wire.ECNCounts{ECT0: 2, ECT1: 1, CE: 1}) {
		t.Fatalf("counts %v", got)
	}
}
