//go:build !linux

// Command attack needs Linux, which tells what other processes use.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "attack: measuring a server needs Linux")
	os.Exit(1)
}
