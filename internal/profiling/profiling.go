// Package profiling writes the profiles that a command line asks for:
//
//	p := profiling.Files{CPU: "cpu.prof"}
//	err := p.Start()
//	…
//	err = p.Stop()
package profiling

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// Files are what to write to; no name, no profile. One goroutine at a time may use
// them.
type Files struct {
	CPU    string // from Start to Stop
	Memory string // the heap, and all allocations before, as of Stop

	running *os.File // of the CPU profile
}

// Start begins the CPU profile. The error is that of its file, or that another one
// is being written.
func (p *Files) Start() error {
	if p.CPU == "" {
		return nil
	}
	f, err := os.Create(p.CPU)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	p.running = f
	return nil
}

// Stop writes what is left to write. Without Start it writes the memory profile
// alone.
func (p *Files) Stop() (err error) {
	if p.running != nil {
		pprof.StopCPUProfile()
		err = p.running.Close()
		p.running = nil
	}
	if p.Memory == "" {
		return err
	}
	f, openErr := os.Create(p.Memory)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	runtime.GC() // the profile shows the heap as of the last collection
	return errors.Join(err, pprof.WriteHeapProfile(f), f.Close())
}
