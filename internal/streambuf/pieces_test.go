package streambuf

import "testing"

// What a peer sends a byte here and there costs memory in proportion to what it has sent,
// and each frame a constant; and is whole when the rest comes.
func TestSmallPieces(t *testing.T) {
	const perPiece = 64 // of memory: its header, place and allocation
	for _, tt := range []struct{ pieces, size, step int }{
		{1, 1, BlockSize},
		{900, 1, BlockSize},
		{900, 100, BlockSize},
		{300, 300, BlockSize},
		{900, 1, BlockSize / 3},
		{900, 1, 7},
		{900, 20, 100},
	} {
		b := newRecvBuffer()
		for i := range tt.pieces {
			off := uint64(1 + i*tt.step)
			for range 3 { // and again and again
				if _, ok := b.Insert(off, text(off, tt.size), false); !ok {
					t.Fatal("too many pieces")
				}
			}
		}
		sent := tt.pieces * tt.size
		most := int64(2*sent + perPiece*tt.pieces + BlockSize)
		if held := b.held(); held > most || held != b.account.received.Load() {
			t.Errorf("%d pieces of %d bytes in steps of %d: %d bytes are held, %d counted; want at most %d",
				tt.pieces, tt.size, tt.step, held, b.account.received.Load(), most)
		}
		size := uint64(tt.pieces*tt.step + tt.size + 1)
		b.Insert(0, text(0, int(size)), true)
		got := make([]byte, size)
		n, _ := b.Reader().Read(got)
		if want := text(0, int(size)); string(got[:n]) != string(want) {
			t.Errorf("%d pieces of %d bytes in steps of %d are not what was sent", tt.pieces, tt.size, tt.step)
		}
	}
}
