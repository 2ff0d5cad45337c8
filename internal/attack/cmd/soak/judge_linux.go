package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sample is what the server holds at a time.
type sample struct {
	memory                           int // MB
	goroutines, descriptors, threads int
}

const (
	// moreMemory is how many MB the server may have more in the end than after the
	// warm-up. Go gives memory back late and by whole pages, so that some remain of every
	// peak. An hour opens some 50,000 connections and sends twice as many requests: a leak of
	// 500 bytes for each connection, or of 250 for each request, is more than this.
	moreMemory = 24
	// moreGoroutines is the same of goroutines. What serves connections must be
	// gone; the runtime and net/http start some of their own when they see fit.
	moreGoroutines = 4
	// moreDescriptors is that of files and sockets: nobody opens them for a while.
	moreDescriptors = 0
)

// judge compares two samples of the server at rest, and says what has grown. Less is
// as good. Threads are not judged: Go's runtime keeps those that it once needed.
func judge(before, after sample) (failures []string) {
	for _, x := range []struct {
		what                string
		before, after, more int
	}{
		{"MB of memory", before.memory, after.memory, moreMemory},
		{"goroutines", before.goroutines, after.goroutines, moreGoroutines},
		{"descriptors", before.descriptors, after.descriptors, moreDescriptors},
	} {
		if x.after > x.before+x.more {
			failures = append(failures, fmt.Sprintf("%d %s at rest, %d after the warm-up; %d more are allowed", x.after, x.what, x.before, x.more))
		}
	}
	return failures
}

// grouped counts equal lines, the most frequent first.
func grouped(lines []string) []string {
	counts := make(map[string]int)
	for _, l := range lines {
		counts[l]++
	}
	keys := slices.Collect(maps.Keys(counts))
	slices.SortFunc(keys, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for i, k := range keys {
		keys[i] = fmt.Sprintf("  %4d %s", counts[k], k)
	}
	return keys
}
