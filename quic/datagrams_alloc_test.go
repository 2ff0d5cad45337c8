//go:build !race

package quic

import (
	"runtime"
	"testing"
)

// bouncer sends datagrams back, and counts them.
type bouncer struct {
	datagramScript
	left int           // to be sent back
	over chan struct{} // closed then
}

func newBouncer(left int) *bouncer {
	b := &bouncer{left: left, over: make(chan struct{})}
	b.datagrams = func(t *Turn, list [][]byte) {
		for _, p := range list {
			if b.left--; b.left == 0 {
				close(b.over)
			}
			_ = t.Conn().SendDatagram(p)
		}
	}
	return b
}

func (b *bouncer) HandleTurn(*Turn) bool { return false }

// mallocs returns how many allocations there are while f runs.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// TestDatagramsDoNotAllocate: with handlers at both ends, a datagram costs no allocation
// on its way.
func TestDatagramsDoNotAllocate(t *testing.T) {
	const warm, n = 20_000, 20_000
	conf := &Config{EnableDatagrams: true}
	server, client := newBouncer(-1), newBouncer(warm)
	e := newEnvWith(t, conf, conf, setup{server: handled(server), client: handled(client)})
	c := e.dial()
	for range 50 {
		if err := c.SendDatagram(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	<-client.over
	again := make(chan struct{})
	allocs := mallocs(func() {
		c.Run(func(*Turn) { client.left, client.over = n, again })
		<-again
	})
	if allocs > n/100 {
		t.Errorf("%d allocations for %d datagrams there and back", allocs, n)
	}
}
