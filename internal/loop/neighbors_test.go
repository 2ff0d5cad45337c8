package loop_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
)

// neighbor is a process that has no room, or takes note of what it gets.
type neighbor struct {
	full bool
	got  int // of the loop's goroutine
}

func (n *neighbor) Pass(engine.Datagram) bool {
	n.got++
	return !n.full
}

// TestPredecessorHangs: clients get in though a predecessor takes nothing any more, and where
// there is a successor it has them.
func TestPredecessorHangs(t *testing.T) {
	for _, left := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, engine.Config{})
			defer p.close()
			predecessor, successor := &neighbor{full: true}, new(neighbor)
			p.serverLoop.Do(func() {
				p.serverLoop.SetPredecessor(predecessor)
				if left {
					p.serverLoop.SetSuccessor(successor)
				}
			})
			p.dial()
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if n, err := p.client.saw("complete"); (n == 1) == left || err != nil {
				t.Errorf("with a successor: %v; %d handshakes are complete, %v", left, n, err)
			}
			if predecessor.got == 0 || (successor.got > 0) != left {
				t.Errorf("with a successor: %v; the predecessor got %d, the successor %d", left, predecessor.got, successor.got)
			}
		})
	}
}
