package cputime

import (
	"syscall"
	"time"
)

// Process returns how much CPU time the process has used, in user mode and
// in the kernel.
func Process() time.Duration {
	var created, exited, kernel, user syscall.Filetime
	self, err := syscall.GetCurrentProcess()
	if err != nil || syscall.GetProcessTimes(self, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return duration(kernel) + duration(user)
}

// duration converts a count of 100 nanoseconds; a Filetime's own conversion is
// for dates.
func duration(t syscall.Filetime) time.Duration {
	return time.Duration(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) * 100
}
