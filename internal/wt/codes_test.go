package wt

import "testing"

// TestCodes: browsers send codes up to 255, others all of 32 bits.
func TestCodes(t *testing.T) {
	for _, code := range []uint32{0, 1, 0x1d, 0x1e, 0x1f, 255, 256, 1<<32 - 1} {
		h := ToHTTP(code)
		if got, ok := FromHTTP(h); got != code || !ok {
			t.Errorf("%d is %#x, which is %d, %v", code, h, got, ok)
		}
		if (h-0x21)%0x1f == 0 {
			t.Errorf("%d is %#x, which is reserved", code, h)
		}
	}
	if ToHTTP(0) != 0x52e4a40fa8db || ToHTTP(1<<32-1) != 0x52e5ac983162 {
		t.Errorf("the range is %#x to %#x", ToHTTP(0), ToHTTP(1<<32-1))
	}
	for _, h := range []uint64{0, 0x10c, firstCode - 1, lastCode + 1, 0x52e4a40fa8f9} {
		if code, ok := FromHTTP(h); ok {
			t.Errorf("%#x is taken for the application's %d", h, code)
		}
	}
}
