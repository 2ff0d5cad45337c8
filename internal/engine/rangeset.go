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
	for i := 0; i < len(r); i++ {
		switch x := r[i]; {
		case x.end <= start:
			continue
		case x.start >= end:
			*s = r
			return
		case x.start < start && x.end > end:
			r[i].end = start
			*s = r.replace(i+1, i+1, byteRange{end, x.end})
			return
		case x.start < start:
			r[i].end = start
		case x.end > end:
			r[i].start = end
		default:
			r = append(r[:i], r[i+1:]...)
			i--
		}
	}
	*s = r
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
	for _, r := range s {
		if r.start > from {
			break
		}
		if r.end > from {
			return r.end
		}
	}
	return from
}
