package load

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Before is what is known of an earlier measurement, from the JSON of its Result.
type Before struct {
	Protocol    Protocol           `json:"protocol"`
	Conns       int                `json:"conns"`
	Streams     int                `json:"streams"`
	CPU         float64            `json:"cpu_s"`
	Requests    uint64             `json:"requests"`
	Failed      uint64             `json:"failed"`
	PerSecond   float64            `json:"requests_per_s"`
	LatencyUS   map[string]float64 `json:"latency_us"`
	FirstByteUS map[string]float64 `json:"first_byte_us"`
}

// ParseBefore reads the JSON of a Result.
func ParseBefore(data []byte) (*Before, error) {
	b := new(Before)
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("not the JSON of a measurement: %w", err)
	}
	if b.Protocol == "" || b.LatencyUS == nil {
		return nil, fmt.Errorf("not the JSON of a measurement: it has no protocol, or no latencies")
	}
	return b, nil
}

// Compare describes in several lines how the result differs from an earlier one.
func (r *Result) Compare(b *Before) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-14s%12s%12s%10s\n", "", "before", "now", "change")
	line := func(name, before, now string, from, to float64) {
		change := "-"
		if from > 0 {
			change = fmt.Sprintf("%+.1f %%", 100*(to/from-1))
		}
		fmt.Fprintf(&out, "%-14s%12s%12s%10s\n", name, before, now, change)
	}
	number := func(name, format string, from, to float64) {
		line(name, fmt.Sprintf(format, from), fmt.Sprintf(format, to), from, to)
	}
	number("requests/s", "%.0f", b.PerSecond, r.PerSecond())
	number("failed", "%.0f", float64(b.Failed), float64(r.Failed()))
	if b.Requests > 0 && r.Requests() > 0 {
		number("client us/req", "%.1f", b.CPU*1e6/float64(b.Requests), us(r.CPU)/float64(r.Requests()))
	}
	for _, row := range []struct {
		name, quantile string
		before         map[string]float64
		now            time.Duration
	}{
		{"latency p50", "p50", b.LatencyUS, r.Latencies.Quantile(0.5)},
		{"latency p90", "p90", b.LatencyUS, r.Latencies.Quantile(0.9)},
		{"latency p99", "p99", b.LatencyUS, r.Latencies.Quantile(0.99)},
		{"latency max", "max", b.LatencyUS, r.Latencies.Quantile(1)},
		{"first byte p50", "p50", b.FirstByteUS, r.FirstBytes.Quantile(0.5)},
	} {
		from := row.before[row.quantile]
		line(row.name, short(time.Duration(from*float64(time.Microsecond))), short(row.now), from, us(row.now))
	}
	if b.Protocol != r.Protocol || b.Conns != r.Conns || b.Streams != r.Streams {
		fmt.Fprintf(&out, "what was before is %s, %s with %s at a time each\n", b.Protocol, count(b.Conns, "connection"), count(b.Streams, "request"))
	}
	return out.String()
}
