// Package bounded bounds waits for an event loop. Deadlines are entries of a loop's table,
// but for these: a loop cannot tell that it hangs, as in a handler that does not return.
//
//	if !bounded.Wait(time.Second, conn.Done(), nil) { … }
package bounded

import "time"

// Wait waits until one of two channels is closed, or for some time at most. It reports
// false when that is over. The second may be nil.
func Wait(limit time.Duration, one, other <-chan struct{}) bool {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	select {
	case <-one:
	case <-other:
	case <-timeout.C:
		return false
	}
	return true
}
