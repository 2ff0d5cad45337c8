package http3

import (
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/godwit-quic/godwit/quic/event"
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
		if !w.watched || !w.unwatched.Load() {
			t.Error("nobody is asked to trim them")
		}
		many(4)
		w.dismissUnused()
		many(4)
		if n := w.idleWorkers(); n < 4 || n > 10 {
			t.Errorf("%d workers, of which 4 are in use", n)
		}
		w.dismissUnused()
		many(4)
		if n := w.idleWorkers(); n != 4 {
			t.Errorf("%d workers, of which 4 are in use", n)
		}
		w.dismissUnused()
		if n := w.idleWorkers(); w.dismissUnused() || w.idleWorkers() != 0 || n != 4 {
			t.Errorf("%d workers without anything to do, and %d were there before", w.idleWorkers(), n)
		}
		many(1)
		w.close()
	})
}

// TestWorkersTrimmed: the table of a connection has the moment at which idle workers are
// looked at; when the connection ends, they end with it or are another one's.
func TestWorkersTrimmed(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	for range 2 {
		c := ts.dialRaw(t)
		readMessage(t, c.request(true, headers(getFields)))
		live := ts.liveConns()[0]
		watched := func() (is bool) {
			_ = live.do(func(event.Turn) error {
				is = live.workers.watcher == live
				return nil
			})
			return is
		}
		if !eventually(watched) {
			t.Fatal("nobody looks after idle workers")
		}
		_ = c.qc.CloseWithError(uint64(ErrCodeNoError), "")
		if !eventually(func() bool { return live.workers.idleWorkers() == 0 }) {
			t.Errorf("%d workers are left", live.workers.idleWorkers())
		}
		if !eventually(func() bool { return len(ts.liveConns()) == 0 }) {
			t.Fatal("the connection is still there")
		}
	}
}

// TestWorkersOutlive: a worker that parks when the last connection has ended, as its handler
// took longer than that, does not stay: there is nobody to look after it.
func TestWorkersOutlive(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	c := ts.dialRaw(t)
	readMessage(t, c.request(true, headers(getFields)))
	live := ts.liveConns()[0]
	_ = c.qc.CloseWithError(uint64(ErrCodeNoError), "")
	if !eventually(func() bool { return len(ts.liveConns()) == 0 }) {
		t.Fatal("the connection is still there")
	}
	w, called := live.workers, make(chan struct{}, 1)
	w.mu.Lock()
	w.park(called)
	w.mu.Unlock()
	w.haveWatched(live)
	if n := w.idleWorkers(); n != 0 {
		t.Errorf("%d workers stay", n)
	}
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
