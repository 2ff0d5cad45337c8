package main

import (
	"context"
	"slices"
)

// workload is something that all of its peers are put through.
type workload struct {
	id      string // for goals
	group   string // for -only
	title   string
	about   string // a sentence below the title
	columns []column
	peers   []peer
	// measure makes one measurement and returns a value for each column.
	measure func(ctx context.Context, b *bench, p peer) ([]float64, error)
	// once says that one round has to do with -quick.
	once bool
	// chart says how the column is titled there, for each one that the chart
	// shows.
	chart map[string]string
}

// rarely makes one round do with -quick.
func (w *workload) rarely() *workload {
	w.once = true
	return w
}

// charted makes the chart show columns.
func (w *workload) charted(columns map[string]string) *workload {
	w.chart = columns
	return w
}

// column is a quantity measured.
type column struct {
	title string // with its unit
	// lower says that less is better.
	lower bool
	// versus adds a column that compares the medians with Godwit's.
	versus bool
}

// The columns that several workloads have.
var (
	gbps         = column{title: "Gbit/s"}
	serverPerGiB = column{title: "server CPU, s/GiB", lower: true, versus: true}
	clientPerGiB = column{title: "client CPU, s/GiB", lower: true}
)

// workloads are all there are, in the order of the tables.
func workloads() []*workload {
	return slices.Concat(bulkWorkloads, requestWorkloads, latencyWorkloads, datagramWorkloads, connWorkloads, loopWorkloads, lossWorkloads, jsWorkloads)
}

// groups returns the names for -only.
func groups() []string {
	var names []string
	for _, w := range workloads() {
		if !slices.Contains(names, w.group) {
			names = append(names, w.group)
		}
	}
	return names
}
