package leak

import (
	"strings"
	"testing"
)

// A goroutine that ends on its own is no leak.
func TestCheckPasses(t *testing.T) {
	Check(t)
	started, end := make(chan bool), make(chan bool)
	go func() {
		started <- true
		<-end
	}()
	<-started
	close(end)
}

func TestGoroutinesSeesOthers(t *testing.T) {
	before := goroutines()
	started, end := make(chan bool), make(chan bool)
	go func() {
		started <- true
		<-end
	}()
	<-started
	var seen []string
	for id, stack := range goroutines() {
		if _, old := before[id]; !old {
			seen = append(seen, stack)
		}
	}
	if len(seen) != 1 || !strings.Contains(seen[0], "TestGoroutinesSeesOthers") {
		t.Errorf("new goroutines: %q, want the one of this test", seen)
	}
	close(end)
	if left := wait(before); len(left) > 0 {
		t.Errorf("left after it was told to end: %q", left)
	}
}
