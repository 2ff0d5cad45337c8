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
	s := fmt.Sprintf("%.3f Gbit/s: %s down, %s up in %.3f s (%d × %d streams, %d completed)\nCPU %.3f s",
		r.Gbps(), bytesText(r.Downloaded), bytesText(r.Uploaded), r.Elapsed.Seconds(),
		r.Conns, r.Streams, r.Requests, r.CPU.Seconds())
	if total := r.Downloaded + r.Uploaded; total > 0 {
		s += fmt.Sprintf(", %.3f s a GiB", r.CPU.Seconds()/float64(total)*(1<<30))
	}
	return s
}

// bytesText writes a number of bytes with a unit.
func bytesText(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.3f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", n)
}
