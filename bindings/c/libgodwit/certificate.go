//go:build cgo && unix

package libgodwit

/*
#include <errno.h>
#include <stddef.h>
*/
import "C"

import (
	"unsafe"

	"github.com/godwit-quic/godwit/bindings/port"
)

// gwgo_certificate writes a new certificate for localhost and its key, with a 0 behind, and
// their length; it returns an errno. It is called on a thread that was made for it.
//
//export gwgo_certificate
func gwgo_certificate(to *C.char, size C.size_t, length *C.size_t) C.int {
	text, err := port.DevelopmentCertificate()
	if err != nil {
		return C.EIO
	}
	text = append(text, 0)
	if C.size_t(len(text)) > size {
		return C.ENOBUFS
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(to)), int(size)), text)
	*length = C.size_t(len(text) - 1)
	return 0
}
