package engine

import (
	"testing"
	"unsafe"

	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestSizes: what an idle connection keeps should not outgrow the size classes of
// Go's allocator (runtime/sizeclasses.go), as every connection would pay for the next.
func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		peertest.LeaveOut(t, "64 bits", "run it on a machine that has them")
	}
	const header = 8 // of objects with pointers that are larger than 512 bytes
	for _, tt := range []struct {
		name        string
		size, class uintptr
	}{
		{"Conn", unsafe.Sizeof(Conn{}), 1536 - header},
		{"a stream that receives", unsafe.Sizeof(onlyReceiving{}), 320},
		{"a stream that sends", unsafe.Sizeof(onlySending{}), 320},
		{"a stream that does both", unsafe.Sizeof(bothHalves{}), 576 - header},
		{"localID", unsafe.Sizeof(localID{}), 40},
		{"the peer's ID", unsafe.Sizeof(path.PeerID{}), 48},
		{"Path", unsafe.Sizeof(path.Path{}), 160},
		{"Sent", unsafe.Sizeof(recovery.Sent{}), 64},
	} {
		if tt.size > tt.class {
			t.Errorf("%s has %d bytes, more than %d", tt.name, tt.size, tt.class)
		}
	}
}
