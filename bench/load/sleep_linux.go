package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep sleeps as the kernel does, to within some 50 microseconds; the runtime's
// timers may be a millisecond late. A signal makes it shorter.
func sleep(d time.Duration) {
	pause := unix.NsecToTimespec(int64(max(d, 0)))
	_ = unix.Nanosleep(&pause, nil)
}
