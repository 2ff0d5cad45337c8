package udp

import "testing"

func TestMessageDatagrams(t *testing.T) {
	tests := []struct {
		name          string
		size, segment int
		want          []int
	}{
		{"single", 1200, 1200, []int{1200}},
		{"full train", 3600, 1200, []int{1200, 1200, 1200}},
		{"short last", 2401, 1200, []int{1200, 1200, 1}},
		{"segment beyond data", 10, 1200, []int{10}},
		{"empty datagram", 0, 0, []int{0}},
		{"empty datagram with a segment", 0, 5, []int{0}},
		{"segment unknown", 10, 0, []int{10}},
		{"segment nonsense", 10, -1, []int{10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Message{Data: pattern(tt.size), Segment: tt.segment}
			var got []int
			for d := range m.Datagrams() {
				got = append(got, len(d))
				if cap(d) != len(d) {
					t.Errorf("datagram %d has %d bytes but room for %d", len(got)-1, len(d), cap(d))
				}
			}
			if len(got) != len(tt.want) || m.Count() != len(tt.want) {
				t.Fatalf("got %d datagrams, Count %d; want %d", len(got), m.Count(), len(tt.want))
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("datagram %d has %d bytes, want %d", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestMessageDatagramsStopsEarly(t *testing.T) {
	m := Message{Data: pattern(30), Segment: 10}
	seen := 0
	for range m.Datagrams() {
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("saw %d datagrams after break, want 1", seen)
	}
}

func TestTrainChunk(t *testing.T) {
	tests := []struct {
		name          string
		size, segment int
		gso           bool
		want          int
	}{
		{"single", 1200, 1200, true, 1200},
		{"empty", 0, 0, true, 0},
		{"whole train", 44 * 1452, 1452, true, 44 * 1452},
		{"no more bytes than IPv4 takes", 100 * 1452, 1452, true, 45 * 1452},
		{"no more segments than the kernel takes", 100 * 100, 100, true, 64 * 100},
		{"jumbo segments", 90000, 40000, true, 40000},
		{"segment beyond any datagram", 200000, 70000, true, 70000}, // for the kernel to refuse
		{"without GSO", 3000, 1200, false, 1200},
		{"rest without GSO", 600, 1200, false, 600},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := trainChunk(tt.size, tt.segment, tt.gso); got != tt.want {
				t.Errorf("trainChunk(%d, %d, %v) = %d, want %d", tt.size, tt.segment, tt.gso, got, tt.want)
			}
		})
	}
}
