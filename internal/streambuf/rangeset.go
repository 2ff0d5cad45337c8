package streambuf

import "fmt"

// Range is the bytes [start, end) of a stream.
type Range struct{ Start, End uint64 }

// RangeSet is a set of byte ranges: ascending, disjoint, not adjacent. It is
// made for few ranges, with most additions at the end or in the first one.
type RangeSet []Range

// Add puts [start, end) into the set.
func (s *RangeSet) Add(start, end uint64) {
	if start >= end {
		return
	}
	r := *s
	if n := len(r); n > 0 && r[n-1].Start <= start && start <= r[n-1].End {
		r[n-1].End = max(r[n-1].End, end) // grows the last range: the usual case
		return
	}
	i := r.search(start)
	j := i
	for j < len(r) && r[j].Start <= end {
		start = min(start, r[j].Start)
		end = max(end, r[j].End)
		j++
	}
	*s = r.replace(i, j, Range{start, end})
}

// Sub takes [start, end) out of the set.
func (s *RangeSet) Sub(start, end uint64) {
	if start >= end {
		return
	}
	r := *s
	i := r.search(start + 1) // the first that reaches beyond start
	if i == len(r) || r[i].Start >= end {
		return
	}
	if x := r[i]; x.Start < start {
		r[i].End = start
		i++
		if x.End > end {
			*s = r.replace(i, i, Range{end, x.End})
			return
		}
	}
	j := i
	for j < len(r) && r[j].End <= end {
		j++
	}
	if j < len(r) {
		r[j].Start = max(r[j].Start, end)
	}
	if i < j {
		*s = append(r[:i], r[j:]...)
	}
}

// AddExcept puts what except has not of [start, end) into the set.
func (s *RangeSet) AddExcept(start, end uint64, except RangeSet) {
	for _, r := range except[except.search(start):] {
		if r.Start >= end {
			break
		}
		s.Add(start, r.Start)
		start = max(start, r.End)
	}
	s.Add(start, end)
}

// search returns the index of the first range that ends at start or later.
func (s RangeSet) search(start uint64) int {
	lo, hi := 0, len(s)
	for lo < hi {
		if mid := (lo + hi) / 2; s[mid].End < start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// replace puts x in the place of s[i:j].
func (s RangeSet) replace(i, j int, x Range) RangeSet {
	if i < j {
		s[i] = x
		return append(s[:i+1], s[j:]...)
	}
	s = append(s, Range{})
	copy(s[i+1:], s[i:])
	s[i] = x
	return s
}

// Contiguous returns the end of the range that begins at or covers from, or
// from itself when the set has no byte there.
func (s RangeSet) Contiguous(from uint64) uint64 {
	if i := s.search(from); i < len(s) && s[i].Start <= from {
		return s[i].End // which is from itself where the range ends there
	}
	return from
}

// Check returns an error unless the ranges are as the type promises: for tests.
func (s RangeSet) Check() error {
	for i, r := range s {
		if r.Start >= r.End || i > 0 && s[i-1].End >= r.Start {
			return fmt.Errorf("ranges %v", s)
		}
	}
	return nil
}
