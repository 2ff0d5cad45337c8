package bounded

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, closed := make(chan struct{}), make(chan struct{})
		close(closed)
		start := time.Now()
		if !Wait(time.Second, closed, open) || !Wait(time.Second, open, closed) || time.Since(start) != 0 {
			t.Error("waited for what had happened")
		}
		if Wait(time.Second, open, nil) || time.Since(start) != time.Second {
			t.Errorf("waited for %v", time.Since(start))
		}
	})
}
