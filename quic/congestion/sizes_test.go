package congestion

import (
	"testing"
	"unsafe"
)

// TestSizes: every idle connection keeps a controller, and would pay for the next size
// class of Go's allocator (runtime/sizeclasses.go).
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(cubic{}); n > 192 {
		t.Errorf("a CUBIC controller has %d bytes, more than 192", n)
	}
}
