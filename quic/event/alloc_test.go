//go:build !race

package event

import (
	"io"
	"runtime"
	"testing"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// bouncer sends datagrams back, and counts them.
type bouncer struct {
	datagramScript
	left int           // to be sent back
	over chan struct{} // closed then
}

func newBouncer(left int) *bouncer {
	b := &bouncer{left: left, over: make(chan struct{})}
	b.datagrams = func(t Turn, list [][]byte) {
		for _, p := range list {
			if b.left--; b.left == 0 {
				close(b.over)
			}
			_ = t.Conn().SendDatagram(p)
		}
	}
	return b
}

func (b *bouncer) HandleTurn(Turn) bool { return false }

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
	conf := &quic.Config{EnableDatagrams: true}
	server, client := newBouncer(-1), newBouncer(warm)
	e := newEnv(t, conf, setup{server: handled(server), client: handled(client)})
	c := e.dial()
	for range 50 {
		if err := c.SendDatagram(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	<-client.over
	again := make(chan struct{})
	allocs := mallocs(func() {
		Run(c, func(Turn) { client.left, client.over = n, again })
		<-again
	})
	if allocs > n/100 {
		t.Errorf("%d allocations for %d datagrams there and back", allocs, n)
	}
}

// Streams that are released one after the other share their memory.
func TestReleasedMemory(t *testing.T) {
	h := &script{}
	h.stream = func(turn Turn, ref Stream) {
		s := ref.Detach()
		go func() {
			io.Copy(s, s)
			s.Close()
			release(s.Conn(), s)
		}()
	}
	e := newEnv(t, nil, setup{server: handled(h)})
	c := e.dial()
	const streams = 1000
	seen := make(map[*face.Stream]bool)
	for range streams {
		s, err := c.OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen[memoryOf(s)] = true
		peertest.EchoThrough(t, s, []byte("hello"))
		Run(c, func(turn Turn) { turn.Release(Of(s)) })
	}
	if len(seen) > streams/2 {
		t.Errorf("%d streams took the memory of %d", streams, len(seen))
	}
}
