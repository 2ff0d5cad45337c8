//go:build !linux

package cpu

import (
	"errors"
	"time"
)

var errNotLinux = errors.New("measuring processes needs Linux")

// Time is not implemented on this system.
func Time(int) (time.Duration, error) { return 0, errNotLinux }

// Resident is not implemented on this system.
func Resident(int) (int64, error) { return 0, errNotLinux }
