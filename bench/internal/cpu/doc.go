// Package cpu tells how much CPU time and memory processes use. It knows how to
// ask Linux.
//
//	w, err := cpu.Open(pid)
//	…
//	usage, err := w.Close()
package cpu
