package wire

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVarint(t *testing.T) {
	tests := []struct {
		v   uint64
		enc string
	}{
		// RFC 9000, Appendix A.1.
		{151_288_809_941_952_652, "c2197c5eff14e88c"},
		{494_878_333, "9d7f3e7d"},
		{15_293, "7bbd"},
		{37, "25"},
		// Borders.
		{0, "00"},
		{1<<6 - 1, "3f"},
		{1 << 6, "4040"},
		{1<<14 - 1, "7fff"},
		{1 << 14, "80004000"},
		{1<<30 - 1, "bfffffff"},
		{1 << 30, "c000000040000000"},
		{MaxVarint, "ffffffffffffffff"},
	}
	for _, tt := range tests {
		enc := unhex(t, tt.enc)
		if got := AppendVarint(nil, tt.v); !bytes.Equal(got, enc) {
			t.Errorf("AppendVarint(%d) = %x, want %s", tt.v, got, tt.enc)
		}
		if got := SizeVarint(tt.v); got != len(enc) {
			t.Errorf("SizeVarint(%d) = %d, want %d", tt.v, got, len(enc))
		}
		if v, n := ConsumeVarint(append(enc, 0xff)); v != tt.v || n != len(enc) {
			t.Errorf("ConsumeVarint(%s ff) = %d, %d; want %d, %d", tt.enc, v, n, tt.v, len(enc))
		}
		for i := range enc {
			if v, n := ConsumeVarint(enc[:i]); v != 0 || n != -1 {
				t.Errorf("ConsumeVarint(%x) = %d, %d; want 0, -1", enc[:i], v, n)
			}
		}
	}
}

func TestVarintNotMinimal(t *testing.T) {
	// RFC 9000, Appendix A.1: 37 in two bytes.
	if v, n := ConsumeVarint([]byte{0x40, 0x25}); v != 37 || n != 2 {
		t.Errorf("ConsumeVarint(4025) = %d, %d; want 37, 2", v, n)
	}
}

func TestVarintTooLarge(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("AppendVarint(MaxVarint+1) did not panic")
		}
	}()
	AppendVarint(nil, MaxVarint+1)
}

func FuzzVarint(f *testing.F) {
	f.Add([]byte{0x25})
	f.Add([]byte{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, n := ConsumeVarint(b)
		if n < 0 {
			return
		}
		enc := AppendVarint(nil, v)
		if len(enc) > n || len(enc) != SizeVarint(v) {
			t.Fatalf("%d takes %d bytes, was read from %d", v, len(enc), n)
		}
		if w, m := ConsumeVarint(enc); w != v || m != len(enc) {
			t.Fatalf("ConsumeVarint(%x) = %d, %d; want %d", enc, w, m, v)
		}
	})
}
