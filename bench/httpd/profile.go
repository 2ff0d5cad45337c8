package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are the files that are written, if they have names.
type profiles struct {
	cpu, memory string
	running     *os.File // of the CPU profile
}

func (p *profiles) start() (err error) {
	if p.memory != "" {
		runtime.MemProfileRate = 1 << 12 // bytes: small objects count too
	}
	if p.cpu == "" {
		return nil
	}
	if p.running, err = os.Create(p.cpu); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.running)
}

func (p *profiles) stop() (err error) {
	if p.running != nil {
		pprof.StopCPUProfile()
		err = p.running.Close()
	}
	if p.memory == "" {
		return err
	}
	f, openErr := os.Create(p.memory)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	runtime.GC() // the profile is as of the last collection
	return errors.Join(err, pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}
