package streambuf

import (
	"math/rand/v2"
	"testing"
)

// rangeModel is a RangeSet over a small domain, a flag for each byte.
type rangeModel [64]bool

func (m *rangeModel) set(start, end uint64, v bool) {
	for i := start; i < end; i++ {
		m[i] = v
	}
}

// compare returns whether a set says the same as the model, by every question
// that can be asked of it.
func (m *rangeModel) compare(t *testing.T, s RangeSet) {
	t.Helper()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var got rangeModel
	for _, r := range s {
		got.set(r.Start, r.End, true)
	}
	if got != *m {
		t.Fatalf("set %v, want %v", s, *m)
	}
	for from := range uint64(len(m)) {
		end := from
		for end < uint64(len(m)) && m[end] {
			end++
		}
		if got := s.Contiguous(from); got != end {
			t.Fatalf("set %v is contiguous from %d to %d, want %d", s, from, got, end)
		}
	}
}

func TestRangeSetTable(t *testing.T) {
	tests := []struct {
		name string
		do   func(s *RangeSet)
		want RangeSet
	}{
		{"empty additions", func(s *RangeSet) { s.Add(5, 5); s.Add(7, 3) }, nil},
		{"in order", func(s *RangeSet) { s.Add(0, 3); s.Add(3, 6) }, RangeSet{{0, 6}}},
		{"before", func(s *RangeSet) { s.Add(5, 6); s.Add(1, 2) }, RangeSet{{1, 2}, {5, 6}}},
		{"touching from below", func(s *RangeSet) { s.Add(5, 6); s.Add(4, 5) }, RangeSet{{4, 6}}},
		{"bridging", func(s *RangeSet) { s.Add(1, 2); s.Add(3, 4); s.Add(5, 6); s.Add(2, 5) }, RangeSet{{1, 6}}},
		{"swallowing", func(s *RangeSet) { s.Add(3, 4); s.Add(6, 7); s.Add(0, 9) }, RangeSet{{0, 9}}},
		{"inside", func(s *RangeSet) { s.Add(0, 9); s.Add(3, 4) }, RangeSet{{0, 9}}},
		{"cut in two", func(s *RangeSet) { s.Add(0, 9); s.Sub(3, 4) }, RangeSet{{0, 3}, {4, 9}}},
		{"cut off ends", func(s *RangeSet) { s.Add(0, 4); s.Add(6, 9); s.Sub(3, 7) }, RangeSet{{0, 3}, {7, 9}}},
		{"cut all", func(s *RangeSet) { s.Add(1, 2); s.Add(3, 4); s.Sub(0, 9) }, nil},
		{"empty cuts", func(s *RangeSet) { s.Add(3, 4); s.Add(4, 9); s.Sub(5, 5); s.Sub(8, 4); s.Sub(4, 9) }, RangeSet{{3, 4}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s RangeSet
			tt.do(&s)
			var m rangeModel
			for _, r := range tt.want {
				m.set(r.Start, r.End, true)
			}
			m.compare(t, s)
			if len(s) != len(tt.want) {
				t.Fatalf("%v, want %v", s, tt.want)
			}
		})
	}
}

func TestRangeSetModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		var s RangeSet
		var m rangeModel
		for range 60 {
			a, b := r.Uint64N(64), r.Uint64N(65)
			switch r.IntN(5) {
			case 0, 1:
				s.Sub(a, b)
				m.set(a, b, false)
			case 2, 3:
				s.Add(a, b)
				m.set(a, b, true)
			case 4:
				var except RangeSet
				for range r.IntN(4) {
					x := r.Uint64N(64)
					except.Add(x, min(64, x+r.Uint64N(9)))
				}
				s.AddExcept(a, b, except)
				for i := a; i < b; i++ {
					if except.Contiguous(i) == i {
						m.set(i, i+1, true)
					}
				}
			}
			m.compare(t, s)
		}
	}
}

func FuzzRangeSet(f *testing.F) {
	f.Add([]byte{0x10, 0x20, 0x30, 0x40, 0x95, 0x38})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var s RangeSet
		var m rangeModel
		for ; len(ops) >= 2; ops = ops[2:] {
			a, b := uint64(ops[0]&0x3f), uint64(ops[1]&0x3f)
			if ops[0]&0x80 != 0 {
				s.Sub(a, b)
				m.set(a, b, false)
			} else {
				s.Add(a, b)
				m.set(a, b, true)
			}
			m.compare(t, s)
		}
	})
}
