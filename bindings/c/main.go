// Command c is the C library, as a shared object or an archive: see README.md, and package
// libgodwit, which has it all.
//
//	go build -buildmode=c-shared -o libgodwit.so ./bindings/c
package main

import _ "github.com/godwit-quic/godwit/bindings/c/libgodwit"

func main() {}
