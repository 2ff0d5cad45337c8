//go:build cgo && unix && napi

// Command addon is the library in the form that Node-API loads: libgodwit and, in napi.c,
// the few functions by which JavaScript gets at its ports. It needs the headers of Node-API:
//
//	go build -tags=napi -buildmode=c-shared -o godwit.node ./bindings/js/addon
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../c -O2 -Wall -Wextra
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
*/
import "C"

import _ "github.com/godwit-quic/godwit/bindings/c/libgodwit" // all of it

func main() {} // not called
