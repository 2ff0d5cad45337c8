package load

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/histogram"
)

// Result is what was measured.
type Result struct {
	Protocol       Protocol
	Conns, Streams int
	Elapsed        time.Duration
	CPU            time.Duration       // of this process, the server's not included
	Started        uint64              // requests
	Bytes          uint64              // of content received
	Statuses       map[int]uint64      // complete responses
	Errors         map[string]uint64   // requests without a complete response
	Latencies      histogram.Histogram // until responses were complete
	FirstBytes     histogram.Histogram // until their headers were there
	Connects       histogram.Histogram // until connections could be used
}

func (r *Result) add(t *tally) {
	r.Latencies.Merge(&t.latencies)
	r.FirstBytes.Merge(&t.firsts)
	r.Bytes += t.bytes
	for status, n := range t.statuses {
		r.Statuses[status] += n
	}
	for text, n := range t.errors {
		r.Errors[text] += n
	}
}

// Requests returns how many were answered, with any status.
func (r *Result) Requests() uint64 { return r.Latencies.Count() }

// Succeeded returns how many were answered with a status below 400, as h2load counts them.
func (r *Result) Succeeded() (n uint64) {
	for status, count := range r.Statuses {
		if status < 400 {
			n += count
		}
	}
	return n
}

// Errored returns how many were not answered.
func (r *Result) Errored() (n uint64) {
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// TimedOut returns how many of them were not answered in time.
func (r *Result) TimedOut() (n uint64) {
	for text, count := range r.Errors {
		if strings.HasPrefix(text, errTimeout.Error()) {
			n += count
		}
	}
	return n
}

// Failed returns how many did not succeed: with a status of 400 or more, or without an
// answer.
func (r *Result) Failed() uint64 { return r.Requests() - r.Succeeded() + r.Errored() }

// PerSecond returns how many requests were answered in a second.
func (r *Result) PerSecond() float64 { return per(float64(r.Requests()), r.Elapsed) }

func per(n float64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return n / d.Seconds()
}

// quantiles are the ones that are shown.
var quantiles = []struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}

// MarshalJSON writes one object; times are in microseconds, as their names say.
func (r *Result) MarshalJSON() ([]byte, error) {
	type bar struct {
		FromUS float64 `json:"from_us"`
		ToUS   float64 `json:"to_us"`
		Count  uint64  `json:"count"`
	}
	bars := []bar{}
	for _, b := range r.Latencies.Bars() {
		bars = append(bars, bar{us(b.From), us(b.To), b.Count})
	}
	percentiles := func(h *histogram.Histogram) map[string]float64 {
		m := make(map[string]float64)
		for _, q := range quantiles {
			m[q.name] = us(h.Quantile(q.q))
		}
		return m
	}
	return json.Marshal(struct {
		Protocol     Protocol           `json:"protocol"`
		Conns        int                `json:"conns"`
		Streams      int                `json:"streams"`
		Seconds      float64            `json:"seconds"`
		CPU          float64            `json:"cpu_s"`
		Requests     uint64             `json:"requests"`
		Started      uint64             `json:"started"`
		Succeeded    uint64             `json:"succeeded"`
		Failed       uint64             `json:"failed"`
		Errored      uint64             `json:"errored"`
		TimedOut     uint64             `json:"timed_out"`
		PerSecond    float64            `json:"requests_per_s"`
		Bytes        uint64             `json:"bytes"`
		Statuses     map[int]uint64     `json:"statuses"`
		Errors       map[string]uint64  `json:"errors"`
		LatencyUS    map[string]float64 `json:"latency_us"`
		FirstByteUS  map[string]float64 `json:"first_byte_us"`
		ConnectUS    map[string]float64 `json:"connect_us"`
		HistogramBar []bar              `json:"histogram"`
	}{
		r.Protocol, r.Conns, r.Streams, r.Elapsed.Seconds(), r.CPU.Seconds(), r.Requests(), r.Started, r.Succeeded(), r.Failed(), r.Errored(), r.TimedOut(), r.PerSecond(), r.Bytes,
		r.Statuses, r.Errors, percentiles(&r.Latencies), percentiles(&r.FirstBytes), percentiles(&r.Connects), bars,
	})
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// count is a number of things, in words.
func count[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// barWidth is the length of the longest bar of a histogram, in characters.
const barWidth = 40

// String describes the result in several lines.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s with %s at a time each\n", r.Protocol, count(r.Conns, "connection"), count(r.Streams, "request"))
	fmt.Fprintf(&b, "%s in %v: %.0f/s, %.2f MB/s\n",
		count(r.Requests(), "request"), r.Elapsed.Round(time.Millisecond), r.PerSecond(), per(float64(r.Bytes)/1e6, r.Elapsed))
	fmt.Fprintf(&b, "%d started, %d done, %d succeeded, %d failed, %d errored, %d timed out\n",
		max(r.Started, r.Requests()), r.Requests(), r.Succeeded(), r.Failed(), r.Errored(), r.TimedOut())
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(&b, "  status %d: %d\n", status, r.Statuses[status])
	}
	for _, text := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(&b, "  %s: %d\n", text, r.Errors[text])
	}
	if r.Requests() == 0 {
		b.WriteString("  no request was answered in that time\n")
		return b.String()
	}
	b.WriteString("\n            ")
	for _, q := range quantiles {
		fmt.Fprintf(&b, "%10s", q.name)
	}
	for _, row := range []struct {
		name string
		h    *histogram.Histogram
	}{{"latency", &r.Latencies}, {"first byte", &r.FirstBytes}, {"connect", &r.Connects}} {
		fmt.Fprintf(&b, "\n%-12s", row.name)
		for _, q := range quantiles {
			fmt.Fprintf(&b, "%10s", short(row.h.Quantile(q.q)))
		}
	}
	b.WriteString("\n\n")
	r.writeBars(&b)
	return b.String()
}

// writeBars draws the histogram of latencies.
func (r *Result) writeBars(b *strings.Builder) {
	bars := r.Latencies.Bars()
	most := uint64(1)
	for _, bar := range bars {
		most = max(most, bar.Count)
	}
	for _, bar := range bars {
		length := int((bar.Count*barWidth + most - 1) / most)
		fmt.Fprintf(b, "up to %8s %s %d\n", short(bar.To), strings.Repeat("#", length), bar.Count)
	}
}

// short rounds a duration to three digits.
func short(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
