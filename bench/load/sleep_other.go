//go:build !linux

package main

import "time"

// sleep sleeps.
func sleep(d time.Duration) { time.Sleep(d) }
