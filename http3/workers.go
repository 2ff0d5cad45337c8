package http3

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

const (
	// maxIdleWorkers bounds the goroutines that wait for requests of one event
	// loop: a burst of slow handlers must not leave all its stacks behind.
	maxIdleWorkers = 256
	// idleWorkersPeriod is how long a goroutine stays that nobody needs.
	idleWorkersPeriod = 5 * time.Second
	// maxKeptQueue is the largest queue whose memory is kept, in requests.
	maxKeptQueue = 1024
)

// job is an exchange, the handler of whose request is to be run.
type job interface{ serve() }

// workers run the handlers of one event loop's requests, each in a goroutine
// that may block for as long as it likes. A server that listens at several addresses has
// several loops with one number, which share them.
//
// A goroutine made for each request would cost more than a small handler does:
// it begins with a small stack, which has to grow under every handler. So
// goroutines stay for the next request. And as most handlers do not block, a
// goroutine that is done takes the next request in the queue at once, and not
// after another one was scheduled. No request waits for a handler that blocks:
// while there are any in the queue, a worker is on its way to it.
type workers struct {
	// running counts the handlers of the loop's connections, however they run: one
	// number for all loops would be a cache line for which their processors wait.
	running atomic.Int64
	sources sources

	mu      sync.Mutex
	queue   []job // queue[taken:] wait for a worker
	taken   int
	coming  bool            // a worker was called and has not come yet
	idle    []chan struct{} // by which parked workers are called; the last one came last
	fewest  int             // of idle since the last trim: nobody needed those
	watched bool            // somebody is going to trim them, as there are idle ones
	closed  bool            // nobody shall stay

	// A timer for trimming is an entry in the table of one of the loop's connections, which
	// sets it in a turn of its own.
	unwatched atomic.Bool // it is to be set; changed with mu held
	watcher   *serverConn // whose table has it, nil for nobody
}

// run serves x soon. It does not block.
func (w *workers) run(x job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, x)
	w.call()
}

// call makes a worker come, unless one is coming already. mu is held.
func (w *workers) call() {
	if w.coming {
		return
	}
	w.coming = true
	last := len(w.idle) - 1
	if last < 0 {
		go w.work()
		return
	}
	w.idle[last] <- struct{}{}
	w.idle[last] = nil
	w.idle = w.idle[:last]
	w.fewest = min(w.fewest, last)
}

// work is a worker. A handler that ends its goroutine ends the worker.
func (w *workers) work() {
	called := make(chan struct{}, 1)
	var last *serverConn // whose request was served
	for came := true; ; {
		x, stay := w.take(called, came)
		switch {
		case x != nil:
			if e, ok := x.(*exchange); ok {
				last = e.conn
			}
			x.serve()
			came = false
		case !stay:
			return
		default:
			if last != nil {
				w.haveWatched(last)
				last = nil
			}
			if _, came = <-called; !came {
				return
			}
		}
	}
}

// take returns the next request, and calls another worker if there is one after that.
// When there is none, the worker counts as parked if it may stay. came says that it was
// called, and not just done with another request.
func (w *workers) take(called chan struct{}, came bool) (x job, stay bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if came {
		w.coming = false
	}
	if w.taken == len(w.queue) {
		return nil, w.park(called)
	}
	x = w.queue[w.taken]
	w.queue[w.taken] = nil
	if w.taken++; w.taken < len(w.queue) {
		w.call()
		return x, true
	}
	w.queue, w.taken = w.queue[:0], 0
	if cap(w.queue) > maxKeptQueue {
		w.queue = nil
	}
	return x, true
}

// park notes an idle worker and returns whether it may stay. mu is held.
func (w *workers) park(called chan struct{}) bool {
	if w.closed || len(w.idle) >= maxIdleWorkers {
		return false
	}
	if !w.watched {
		w.fewest = len(w.idle)
		w.watched = true
		w.unwatched.Store(true)
	}
	w.idle = append(w.idle, called)
	return true
}

// haveWatched is watch for a worker that parks when c may have no further event. Any
// goroutine may call it.
func (w *workers) haveWatched(c *serverConn) {
	if w.unwatched.Load() && !event.Run(c.qc, func(t event.Turn) { w.watch(c, t) }) {
		w.leave(c) // the handler has outlived its connection
	}
}

// watch has idle workers trimmed by c's table, if nobody does so. On the loop.
func (w *workers) watch(c *serverConn, t event.Turn) {
	if !w.unwatched.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unwatched.CompareAndSwap(true, false) {
		w.watcher = c
		t.SetTimer(new(event.Timer), t.Now()+idleWorkersPeriod, w)
	}
}

// HandleTimer trims the idle workers. On the watcher's loop.
func (w *workers) HandleTimer(t event.Turn, timer *event.Timer) {
	if w.dismissUnused() {
		t.SetTimer(timer, t.Now()+idleWorkersPeriod, w)
	}
}

// leave is called when a connection ends. The table of another one may trim the workers
// then, but there may be none: they end, as if they were unused. Any goroutine may call it.
func (w *workers) leave(c *serverConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watcher != c && (w.watcher != nil || !w.unwatched.Load()) {
		return
	}
	w.watcher = nil
	w.dismiss(len(w.idle))
	w.watched = false
	w.unwatched.Store(false)
}

// dismissUnused ends the workers that were idle during a whole period, and reports whether
// there are others. If not, nobody watches.
func (w *workers) dismissUnused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dismiss(w.fewest)
	w.fewest = len(w.idle)
	if w.watched = w.fewest > 0 && !w.closed; !w.watched {
		w.watcher = nil
	}
	return w.watched
}

// dismiss ends n idle workers, those that have been so the longest. mu is held.
func (w *workers) dismiss(n int) {
	for _, called := range w.idle[:n] {
		close(called)
	}
	w.idle = slices.Delete(w.idle, 0, n)
}

// close ends the workers as soon as they have nothing to do.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.dismiss(len(w.idle))
}

// workersOf returns the workers of an event loop. mu is held.
func (s *Server) workersOf(loop int) *workers {
	var loops []*workers
	if p := s.workers.Load(); p != nil {
		loops = *p
	}
	if loop >= len(loops) {
		loops = slices.Clone(loops)
		for len(loops) <= loop {
			loops = append(loops, new(workers))
		}
		s.workers.Store(&loops)
	}
	return loops[loop]
}

// dismissWorkers ends the goroutines that wait for requests, now, and the others
// when their handlers return.
func (s *Server) dismissWorkers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if loops := s.workers.Load(); loops != nil {
		for _, w := range *loops {
			w.close()
		}
	}
}
