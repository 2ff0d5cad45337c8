// Package histogram counts durations, to within 1 %, in constant memory.
//
//	var h histogram.Histogram
//	h.Add(130 * time.Microsecond)
//	fmt.Println(h.Quantile(0.99))
package histogram

import (
	"math/bits"
	"time"
)

const (
	// fineBits is how many bits of a duration below the highest are told
	// apart: buckets are 1/128 of their value wide.
	fineBits = 7
	fine     = 1 << fineBits
)

// Histogram counts durations. The zero value is empty. It may be used by one
// goroutine at a time.
type Histogram struct {
	counts [(64 - fineBits) * fine]uint32
	total  uint64
}

// Add counts a duration; negative ones count as 0.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Quantile returns the duration that a fraction q of those counted, from 0 to 1,
// does not exceed; 0 if none were counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q*float64(h.total) + 0.5)
	seen := uint64(0)
	for i, n := range h.counts {
		seen += uint64(n)
		if seen >= rank && seen > 0 {
			return time.Duration(highest(i))
		}
	}
	return 0
}

// bucket returns the index of the bucket for v: the first 2*fine values have one
// each, and every doubling from there on has fine of them.
func bucket(v uint64) int {
	shift := bits.Len64(v) - fineBits - 1
	if shift <= 0 {
		return int(v)
	}
	return shift<<fineBits + int(v>>shift)
}

// highest returns the largest value that belongs into a bucket.
func highest(i int) uint64 {
	shift := i>>fineBits - 1
	if shift <= 0 {
		return uint64(i)
	}
	return uint64(i-shift<<fineBits+1)<<shift - 1
}

// Count returns how many durations were counted.
func (h *Histogram) Count() uint64 { return h.total }

// Bar is how many durations lie between two others.
type Bar struct {
	From, To time.Duration // From is not included, unless it is 0
	Count    uint64
}

// Bars returns the durations counted by powers of two, from the first that has
// any to the last.
func (h *Histogram) Bars() []Bar {
	var bars []Bar
	empty := 0 // bars in a row at the end
	for i, n := range h.counts {
		top := bits.Len64(highest(i))
		if len(bars) == 0 && n == 0 {
			continue
		}
		to := time.Duration(1) << top
		if len(bars) == 0 || bars[len(bars)-1].To != to {
			bars = append(bars, Bar{From: to / 2, To: to})
			empty++
		}
		if bars[len(bars)-1].Count += uint64(n); n > 0 {
			empty = 0
		}
	}
	return bars[:len(bars)-empty]
}
