package main

import (
	"math"
	"slices"
	"strconv"
)

// spread is what is said of several samples.
type spread struct {
	Median, Min, Max float64
}

// spreadOf returns the spread of one column of a row; ok is false without samples.
func (r *row) spreadOf(col int) (s spread, ok bool) {
	if len(r.samples) == 0 {
		return spread{}, false
	}
	values := make([]float64, len(r.samples))
	for i, sample := range r.samples {
		values[i] = sample[col]
	}
	slices.Sort(values)
	n := len(values)
	return spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1]}, true
}

// format writes a number with three digits that count, and thousands apart.
func format(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(max(math.Abs(v), 0.01))))
	s := strconv.FormatFloat(v, 'f', max(digits, 0), 64)
	if digits > 0 {
		return s
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// String writes the median and, if there are several samples, the spread.
func (s spread) String() string {
	if s.Min == s.Max {
		return format(s.Median)
	}
	return format(s.Median) + " (" + format(s.Min) + "–" + format(s.Max) + ")"
}
