package loop

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
)

// TestSpareIsBounded: the memory of datagrams that have waited is no more than that of those
// that may wait, whatever their sizes and their order.
func TestSpareIsBounded(t *testing.T) {
	var s flows
	f := new(flow)
	small, large := make([]byte, 1200), make([]byte, 9000)
	for range 100 {
		for _, data := range [][]byte{large, small} {
			for s.wait(f, &engine.Datagram{Data: data}) {
				if len(data) == len(large) && s.bytes > MaxWaitingBytes/4 {
					break // so that others find room
				}
			}
		}
		for w := s.next(f); w != nil; w = s.next(f) {
			s.recycle(w)
		}
		s.pop()
	}
	if s.bytes != 0 || f.bytes != 0 {
		t.Errorf("%d bytes wait, %d of the flow, and nothing is there", s.bytes, f.bytes)
	}
	spare := 0
	for w := s.spare; w != nil; w = w.next {
		spare += len(w.buf)
	}
	if spare > MaxWaitingBytes {
		t.Errorf("%d bytes are kept for those to come, of %d that may wait", spare, MaxWaitingBytes)
	}
}
