package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/histogram"
)

// meter counts what comes back. Each event loop has one, as has each goroutine
// that waits for responses, so that its lock is never waited for.
type meter struct {
	requests, bytes atomic.Int64

	mu        sync.Mutex
	measuring bool
	latencies histogram.Histogram
}

// responded counts a response to a request that was due at a certain time.
func (m *meter) responded(due time.Time) {
	took := time.Since(due)
	m.requests.Add(1)
	m.mu.Lock()
	if m.measuring {
		m.latencies.Add(took)
	}
	m.mu.Unlock()
}

// meters are all of a measurement.
type meters []*meter

// totals returns how many responses and bytes of content have come so far.
func (ms meters) totals() (requests, bytes int64) {
	for _, m := range ms {
		requests += m.requests.Load()
		bytes += m.bytes.Load()
	}
	return requests, bytes
}

// measure says whether latencies count from now on.
func (ms meters) measure(on bool) {
	for _, m := range ms {
		m.mu.Lock()
		m.measuring = on
		m.mu.Unlock()
	}
}

// latencies returns those that counted.
func (ms meters) latencies() *histogram.Histogram {
	var all histogram.Histogram
	for _, m := range ms {
		m.mu.Lock()
		all.Merge(&m.latencies)
		m.mu.Unlock()
	}
	return &all
}
