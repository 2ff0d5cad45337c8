//go:build cgo && unix

package libgodwit

/*
#cgo CFLAGS: -I${SRCDIR}/.. -O2 -Wall -Wextra
#cgo linux LDFLAGS: -lpthread
#include "port.h"
*/
import "C"

import (
	"errors"
	"os"
	"runtime"
	"runtime/cgo"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/godwit-quic/godwit/bindings/port"
)

// host is a gw_port as package port sees it.
type host struct{ p *C.gw_port }

// Wake implements port.Host.
func (h host) Wake() { C.gw__wake(h.p) }

// Replied implements port.Host.
func (h host) Replied() { C.gw__replied(h.p) }

var firstPort sync.Once

// threads sets how many threads run Go code at a time, when the first port is opened: one
// unless somebody says otherwise. Loops, and what they wake, then share a processor, which
// is faster in a host that computes itself.
func threads(n int) {
	if n == 0 && os.Getenv("GOMAXPROCS") != "" {
		return
	}
	runtime.GOMAXPROCS(max(n, 1))
}

// gwgo_open opens the engine's side of a port, and returns an errno. It is called on a
// thread that was made for it.
//
//export gwgo_open
func gwgo_open(p *C.gw_port, conf *C.gw_port_options, bells *C.int, handle *C.uintptr_t) C.int {
	firstPort.Do(func() { threads(int(conf.threads)) })
	var size C.size_t
	mem := C.gw_port_memory(p, &size)
	opened, err := port.New(unsafe.Slice((*byte)(unsafe.Pointer(mem)), int(size)), port.Config{
		Commands: uint32(conf.command_size), Events: uint32(conf.event_size),
		Spin: time.Duration(conf.spin) * time.Microsecond,
	}, host{p})
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			return C.int(errno)
		}
		return C.int(syscall.EINVAL)
	}
	pump, lane := opened.Bells()
	*(*[2]C.int)(unsafe.Pointer(bells)) = [2]C.int{C.int(pump), C.int(lane)}
	*handle = C.uintptr_t(cgo.NewHandle(opened))
	return 0
}

// gwgo_close closes it, and lets the memory go when nobody uses it any more, likewise.
//
//export gwgo_close
func gwgo_close(p *C.gw_port, handle C.uintptr_t) {
	h := cgo.Handle(handle)
	opened := h.Value().(*port.Port)
	h.Delete()
	opened.Close()
	released := make(chan struct{})
	go func() {
		opened.Released()
		C.gw__release(p)
		close(released)
	}()
	select {
	case <-released: // as a rule at once
	case <-time.After(releaseTime):
	}
}

// releaseTime is how long closing a port waits for the last goroutine that uses it.
const releaseTime = 100 * time.Millisecond
