package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile is what --cpuprofile and --memprofile ask for.
type profile struct {
	cpu, memory string   // files to write to
	running     *os.File // of the CPU profile
}

func (p *profile) start() error {
	if p.cpu == "" {
		return nil
	}
	f, err := os.Create(p.cpu)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	p.running = f
	return nil
}

func (p *profile) stop() (err error) {
	if p.running != nil {
		pprof.StopCPUProfile()
		err = p.running.Close()
		p.running = nil
	}
	if p.memory == "" {
		return err
	}
	f, openErr := os.Create(p.memory)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	runtime.GC() // the profile shows the heap as of the last collection
	return errors.Join(err, pprof.WriteHeapProfile(f), f.Close())
}
