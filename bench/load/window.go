package main

import (
	"os"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
)

// window is a span of time that is measured.
type window struct {
	pid            int
	start          time.Time
	server, client time.Duration // CPU time used before
}

func openWindow(pid int) (*window, error) {
	w := &window{pid: pid}
	var err error
	if w.server, w.client, err = w.times(); err != nil {
		return nil, err
	}
	w.start = time.Now()
	return w, nil
}

// times returns the CPU times until now.
func (w *window) times() (server, client time.Duration, err error) {
	if w.pid != 0 {
		if server, err = cpu.Time(w.pid); err != nil {
			return 0, 0, err
		}
	}
	client, err = cpu.Time(os.Getpid())
	return server, client, err
}

// result returns how long the window was open and what was used meanwhile.
func (w *window) result() (*report.Result, error) {
	seconds := time.Since(w.start).Seconds()
	server, client, err := w.times()
	if err != nil {
		return nil, err
	}
	return &report.Result{
		Seconds:   seconds,
		ServerCPU: (server - w.server).Seconds(),
		ClientCPU: (client - w.client).Seconds(),
	}, nil
}
