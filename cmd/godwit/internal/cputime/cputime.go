// Package cputime tells how much processor time the process has used:
//
//	before := cputime.Process()
//	work()
//	used := cputime.Process() - before
package cputime
