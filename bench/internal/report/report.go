// Package report is what the programs that measure print, one JSON object, for
// the program that runs them.
//
//	report.Write(os.Stdout, &report.Result{Bytes: 1 << 30, Seconds: 1.5})
package report

import (
	"encoding/json"
	"io"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
)

// Result is one measurement. A program sets what it measures; 0 stands for the
// rest.
type Result struct {
	Seconds     float64 `json:"seconds,omitempty"`      // that the measurement took
	Bytes       float64 `json:"bytes,omitempty"`        // of content
	Requests    float64 `json:"requests,omitempty"`     // or connections, which were completed
	Failed      float64 `json:"failed,omitempty"`       // of which there is no result
	Resumed     float64 `json:"resumed,omitempty"`      // connections that resumed a session
	ServerCPU   float64 `json:"server_cpu_s,omitempty"` // seconds
	ClientCPU   float64 `json:"client_cpu_s,omitempty"` // seconds
	Allocations float64 `json:"allocations,omitempty"`  // of the client, objects
	P50         float64 `json:"p50_us,omitempty"`       // latency of a request, microseconds
	P99         float64 `json:"p99_us,omitempty"`       // likewise
	Memory      float64 `json:"memory,omitempty"`       // by which the server grew, bytes
	Suite       string  `json:"suite,omitempty"`        // TLS cipher suite
	Error       string  `json:"error,omitempty"`        // the first, of those that Failed counts
}

// Write writes a result on one line.
func Write(w io.Writer, r *Result) error { return json.NewEncoder(w).Encode(r) }

// Of returns a Result with what a window has seen.
func Of(w *cpu.Window) (*Result, error) {
	usage, err := w.Close()
	if err != nil {
		return nil, err
	}
	return &Result{
		Seconds:   usage.Elapsed.Seconds(),
		ServerCPU: usage.Server.Seconds(),
		ClientCPU: usage.Client.Seconds(),
	}, nil
}
