//go:build !linux

// Command soak needs Linux, which tells what other processes use.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: measuring a server needs Linux")
	os.Exit(1)
}
