// Package libgodwit is the C library, which package bindings/c makes a file of: port.c and
// the other C files beside this one are what programs call, and the functions that are
// exported here are what those call, on threads of their own. A program that wants the
// library within itself, such as an addon of a runtime, imports it for that.
//
// Without cgo there is nothing in it.
package libgodwit
