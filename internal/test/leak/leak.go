// Package leak finds goroutines that outlive a test.
//
//	func TestServer(t *testing.T) {
//		leak.Check(t)
//		…
//	}
package leak

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines that are about to end may take. It is only
// used up by a test that fails.
const patience = 10 * time.Second

// Check makes the test fail if goroutines that it started are left when it and
// its other cleanups, registered later, are done. Tests that use it must not
// run in parallel with others.
func Check(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		left := wait(before)
		if len(left) > 0 && !t.Failed() {
			t.Errorf("%d goroutines are left:\n\n%s", len(left), strings.Join(left, "\n\n"))
		}
	})
}

// wait returns the stacks of the goroutines that are not in before and do not
// end soon.
func wait(before map[string]string) []string {
	pause := time.Millisecond
	for start := time.Now(); ; pause = min(2*pause, 100*time.Millisecond) {
		var left []string
		for id, stack := range goroutines() {
			if _, old := before[id]; !old {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Since(start) > patience {
			return left
		}
		time.Sleep(pause)
	}
}

// goroutines returns the stacks of all goroutines but the caller's and the
// runtime's own, by what identifies them.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := make(map[string]string)
	for i, stack := range strings.Split(string(buf), "\n\n") {
		// "goroutine 7 [running]:": the caller comes first.
		id, _, ok := strings.Cut(stack, " [")
		if i > 0 && ok && !strings.Contains(stack, "testing.(*T).Run(") {
			stacks[id] = strings.TrimSpace(stack)
		}
	}
	return stacks
}
