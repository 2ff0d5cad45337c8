package http3

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type jobFunc func()

func (f jobFunc) serve() { f() }

// idleWorkers returns how many workers are parked.
func (w *workers) idleWorkers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.idle)
}

// TestWorkersBlocked has many jobs that all wait for the last one.
func TestWorkersBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		const jobs = 2 * maxIdleWorkers
		var all, done sync.WaitGroup
		all.Add(jobs)
		done.Add(jobs)
		for range jobs {
			w.run(jobFunc(func() { all.Done(); all.Wait(); done.Done() }))
		}
		done.Wait()
		synctest.Wait()
		if n := w.idleWorkers(); n != maxIdleWorkers {
			t.Errorf("%d workers stay, want %d", n, maxIdleWorkers)
		}
		w.close()
		if n := w.idleWorkers(); n != 0 {
			t.Errorf("%d workers stay after the end", n)
		}
		ran := make(chan struct{})
		w.run(jobFunc(func() { close(ran) }))
		<-ran
	}) // which waits for all goroutines
}

// TestWorkersReused has short jobs, one after the other, and then many at once.
func TestWorkersReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		for range 100 {
			w.run(jobFunc(func() {}))
			synctest.Wait()
		}
		if n := w.idleWorkers(); n != 1 {
			t.Errorf("%d workers for one job at a time", n)
		}
		var mu sync.Mutex
		ran := make(map[int]int)
		for i := range 1000 {
			w.run(jobFunc(func() { mu.Lock(); ran[i]++; mu.Unlock() }))
		}
		synctest.Wait()
		if len(ran) != 1000 {
			t.Errorf("%d jobs of 1000 ran", len(ran))
		}
		for i, n := range ran {
			if n != 1 {
				t.Errorf("job %d ran %d times", i, n)
			}
		}
		w.close()
	})
}

// TestWorkersDismissed has workers that leave when nobody needed them for a while.
func TestWorkersDismissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		many := func(n int) {
			var all sync.WaitGroup
			all.Add(n)
			for range n {
				w.run(jobFunc(func() { all.Done(); all.Wait() }))
			}
			synctest.Wait()
		}
		many(10)
		time.Sleep(idleWorkersPeriod / 2)
		many(4)
		time.Sleep(idleWorkersPeriod)
		many(4)
		if n := w.idleWorkers(); n < 4 || n > 10 {
			t.Errorf("%d workers, of which 4 are in use", n)
		}
		time.Sleep(idleWorkersPeriod)
		many(4)
		if n := w.idleWorkers(); n != 4 {
			t.Errorf("%d workers, of which 4 are in use", n)
		}
		time.Sleep(2 * idleWorkersPeriod)
		if n := w.idleWorkers(); n != 0 || w.trimmer != nil {
			t.Errorf("%d workers without anything to do, timer %v", n, w.trimmer)
		}
		many(1)
		w.close()
	})
}

// TestWorkersGoexit has jobs that end their goroutines.
func TestWorkersGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		ran := make(chan int, 20)
		for i := range 20 {
			w.run(jobFunc(func() { ran <- i; runtime.Goexit() }))
		}
		for range 20 {
			<-ran
		}
		synctest.Wait()
		if n := w.idleWorkers(); n != 0 {
			t.Errorf("%d workers survived", n)
		}
	})
}
