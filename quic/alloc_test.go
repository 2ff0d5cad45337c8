//go:build !race

package quic

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// The path of a packet allocates nothing: what a bulk transfer allocates does
// not grow with its packets. What waits for a reader grows when that is late, as on
// a busy machine, which was one allocation for five packets at the most. (With the
// race detector, a sync.Pool forgets some of what it is given on purpose.)
func TestBulkAllocations(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	c := e.dial()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	if err := e.echo(c, 1, 16<<20); err != nil {     // buffers and windows grow
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sentBefore := c.Stats().SentPackets
	if err := e.echo(c, 2, 64<<20); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	packets := c.Stats().SentPackets - sentBefore
	if allocs := after.Mallocs - before.Mallocs; allocs > packets/2 {
		t.Errorf("%d allocations in both endpoints for %d packets sent each way", allocs, packets)
	}
}
