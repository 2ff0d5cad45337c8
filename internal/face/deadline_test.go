package face

import (
	"sync"
	"testing"
)

// TestLateDeadline: what a deadline has posted to the loop comes when the stream's memory
// serves another one, of another loop, and is emptied again. Neither may see the other
// halfway, which the race detector tells.
func TestLateDeadline(t *testing.T) {
	for range 100 {
		s := &Stream{}
		late := &deadline{stream: s}
		s.rarely().deadlines = &deadlines{}
		var both sync.WaitGroup
		both.Go(late.arm)
		both.Go(s.empty)
		both.Wait()
		if s.rare != nil {
			t.Fatal("the memory was not emptied")
		}
	}
}
