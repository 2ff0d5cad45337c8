package cpu

import (
	"os"
	"time"
)

// Window is a span of time in which two processes are measured: this one, the
// client, and a server.
type Window struct {
	pid            int
	start          time.Time
	server, client time.Duration // used before
}

// Usage is how long a window was open, and the CPU time used meanwhile.
type Usage struct {
	Elapsed, Server, Client time.Duration
}

// Open opens a window. A pid of 0 stands for no server.
func Open(pid int) (*Window, error) {
	w := &Window{pid: pid}
	var err error
	if w.server, w.client, err = w.times(); err != nil {
		return nil, err
	}
	w.start = time.Now()
	return w, nil
}

// Close returns what has happened since Open. It may be called again.
func (w *Window) Close() (Usage, error) {
	elapsed := time.Since(w.start)
	server, client, err := w.times()
	return Usage{elapsed, server - w.server, client - w.client}, err
}

// times returns the CPU times until now.
func (w *Window) times() (server, client time.Duration, err error) {
	if w.pid != 0 {
		if server, err = Time(w.pid); err != nil {
			return 0, 0, err
		}
	}
	client, err = Time(os.Getpid())
	return server, client, err
}
