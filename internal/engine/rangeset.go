package engine

// byteRange is the bytes [start, end) of a stream.
type byteRange struct{ start, end uint64 }

// rangeSet is a set of byte ranges: ascending, disjoint, not adjacent. It is
// made for few ranges, with most additions at the end or in the first one.
type rangeSet []byteRange

// add puts [start, end) into the set.
func (s *rangeSet) add(start, end uint64) {
	if start >= end {
		return
	}
	r := *s
	if n := len(r); n > 0 && r[n-1].start <= start && start <= r[n-1].end {
		r[n-1].end = max(r[n-1].end, end) // grows the last range: the usual case
		return
	}
	i := r.search(start)
	j := i
	for j < len(r) && r[j].start <= end {
		start = min(start, r[j].start)
		end = max(end, r[j].end)
		j++
	}
	*s = r.replace(i, j, byteRange{start, end})
}

// sub takes [start, end) out of the set.
func (s *rangeSet) sub(start, end uint64) {
	if start >= end {
		return
	}
	r := *s
	i := r.search(start + 1) // the first that reaches beyond start
	if i == len(r) || r[i].start >= end {
		return
	}
	if x := r[i]; x.start < start {
		r[i].end = start
		i++
		if x.end > end {
			*s = r.replace(i, i, byteRange{end, x.end})
			return
		}
	}
	j := i
	for j < len(r) && r[j].end <= end {
		j++
	}
	if j < len(r) {
		r[j].start = max(r[j].start, end)
	}
	if i < j {
		*s = append(r[:i], r[j:]...)
	}
}

// addExcept puts what except has not of [start, end) into the set.
func (s *rangeSet) addExcept(start, end uint64, except rangeSet) {
	for _, r := range except[except.search(start):] {
		if r.start >= end {
			break
		}
		s.add(start, r.start)
		start = max(start, r.end)
	}
	s.add(start, end)
}

// search returns the index of the first range that ends at start or later.
func (s rangeSet) search(start uint64) int {
	lo, hi := 0, len(s)
	for lo < hi {
		if mid := (lo + hi) / 2; s[mid].end < start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// replace puts x in the place of s[i:j].
func (s rangeSet) replace(i, j int, x byteRange) rangeSet {
	if i < j {
		s[i] = x
		return append(s[:i+1], s[j:]...)
	}
	s = append(s, byteRange{})
	copy(s[i+1:], s[i:])
	s[i] = x
	return s
}

// contiguous returns the end of the range that begins at or covers from, or
// from itself when the set has no byte there.
func (s rangeSet) contiguous(from uint64) uint64 {
	if i := s.search(from); i < len(s) && s[i].start <= from {
		return s[i].end // which is from itself where the range ends there
	}
	return from
}
