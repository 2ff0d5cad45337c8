package perf

import (
	"encoding/json"
	"fmt"
	"math"
)

// MarshalJSON writes one flat object: goodput in gbps (10^9 bits a second), CPU
// seconds of the process in cpu_s.
func (r *Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Gbps       float64 `json:"gbps"`
		CPU        float64 `json:"cpu_s"`
		Bytes      uint64  `json:"bytes"`
		Downloaded uint64  `json:"download_bytes"`
		Uploaded   uint64  `json:"upload_bytes"`
		Seconds    float64 `json:"seconds"`
		Requests   uint64  `json:"requests"`
		Conns      int     `json:"conns"`
		Streams    int     `json:"streams"`
	}{
		round(r.Gbps()), round(r.CPU.Seconds()), r.Downloaded + r.Uploaded, r.Downloaded, r.Uploaded,
		round(r.Elapsed.Seconds()), r.Requests, r.Conns, r.Streams,
	})
}

// round keeps what is more than noise.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// String describes the result for people.
func (r *Result) String() string {
	const gib = 1 << 30
	total := float64(r.Downloaded+r.Uploaded) / gib
	s := fmt.Sprintf("%.3f Gbit/s: %.3f GiB down, %.3f GiB up in %.3f s (%d × %d streams, %d completed)\nCPU %.3f s",
		r.Gbps(), float64(r.Downloaded)/gib, float64(r.Uploaded)/gib, r.Elapsed.Seconds(),
		r.Conns, r.Streams, r.Requests, r.CPU.Seconds())
	if total > 0 {
		s += fmt.Sprintf(", %.3f s a GiB", r.CPU.Seconds()/total)
	}
	return s
}
