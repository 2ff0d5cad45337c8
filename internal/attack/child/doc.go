// Package child runs a `godwit serve` as a child process and measures it: memory, CPU
// time, threads, descriptors, goroutines. It is for commands that try what a server
// withstands, and for Linux, which tells what other processes use.
package child
