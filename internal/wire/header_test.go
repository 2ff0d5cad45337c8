package wire

import (
	"bytes"
	"slices"
	"testing"
)

func testID(t testing.TB, s string) ConnectionID {
	t.Helper()
	id, ok := NewConnectionID(unhex(t, s))
	if !ok {
		t.Fatalf("connection ID %s is too long", s)
	}
	return id
}

func TestLongHeaderRFC(t *testing.T) {
	// RFC 9001, Appendix A.2, and RFC 9369, Appendix A.2: the client's Initial,
	// unprotected, packet number 2, 1182 bytes of payload and tag.
	dst, src := testID(t, "8394c8f03e515708"), testID(t, "")
	tests := []struct {
		version Version
		want    string
	}{
		{Version1, "c300000001088394c8f03e5157080000449e00000002"},
		{Version2, "d36b3343cf088394c8f03e5157080000449e00000002"},
	}
	for _, tt := range tests {
		b, at := AppendLongHeader(nil, InitialPacket, tt.version, &dst, &src, nil, 2, 4)
		PutLength(b, at, 4+1162+16)
		if want := unhex(t, tt.want); !bytes.Equal(b, want) {
			t.Errorf("%v: header is %x, want %x", tt.version, b, want)
		}
	}
}

func TestLongHeader(t *testing.T) {
	dst, src := testID(t, "0102030405"), testID(t, "a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4")
	for _, v := range []Version{Version1, Version2} {
		for _, pt := range []PacketType{InitialPacket, ZeroRTTPacket, HandshakePacket} {
			var token []byte
			if pt == InitialPacket {
				token = []byte("token")
			}
			b, at := AppendLongHeader([]byte("x"), pt, v, &dst, &src, token, 0x1234, 2)
			pnOffset := len(b) - 1 - 2
			b = append(b, make([]byte, 30)...)
			PutLength(b, at, 32)
			b = b[1:]
			h, ok := ParseLongHeader(append(b, "next packet"...))
			if !ok {
				t.Fatalf("%v %v: not parsed: %x", v, pt, b)
			}
			if h.Type != pt || h.Version != v || h.DstID != dst || h.SrcID != src || !bytes.Equal(h.Token, token) {
				t.Errorf("%v %v: parsed as %+v", v, pt, h)
			}
			if h.PNOffset != pnOffset || h.PacketLen != len(b) {
				t.Errorf("%v %v: PNOffset %d, PacketLen %d; want %d, %d", v, pt, h.PNOffset, h.PacketLen, pnOffset, len(b))
			}
			for i := range b {
				if _, ok := ParseLongHeader(b[:i]); ok {
					t.Errorf("%v %v: parsed though truncated to %d of %d bytes", v, pt, i, len(b))
				}
			}
		}
	}
}

func TestLongHeaderRejected(t *testing.T) {
	tests := []struct{ name, packet string }{
		{"short header", "4000000001000000"},
		{"fixed bit cleared", "8300000001000000410000000000"},
		{"version negotiation", "c000000000000000000001"},
		{"unknown version", "c3000000020000004100"},
		{"destination ID of 21 bytes", "c30000000115" + "000102030405060708090a0b0c0d0e0f1011121314" + "00004100"},
		{"source ID of 21 bytes", "c3000000010015" + "000102030405060708090a0b0c0d0e0f1011121314" + "004100"},
		{"token longer than the packet", "c30000000100003fffff"},
		{"token length of 62 bits", "c3000000010000ffffffffffffffff00"},
		{"length of 62 bits", "e3000000010000ffffffffffffffff00"},
		{"Retry without a tag", "f0000000010000" + "000102030405060708090a0b0c0d0e"},
	}
	for _, tt := range tests {
		if h, ok := ParseLongHeader(unhex(t, tt.packet)); ok {
			t.Errorf("%s: parsed as %+v", tt.name, h)
		}
	}
}

func TestRetry(t *testing.T) {
	dst, src := testID(t, ""), testID(t, "f067a5502a4262b5")
	tests := []struct {
		version Version
		want    string
	}{
		// RFC 9001, Appendix A.4 and RFC 9369, Appendix A.4, without the tags.
		// The unused bits are arbitrary.
		{Version1, "ff000000010008f067a5502a4262b5746f6b656e"},
		{Version2, "cf6b3343cf0008f067a5502a4262b5746f6b656e"},
	}
	for _, tt := range tests {
		want := unhex(t, tt.want)
		b := AppendRetry(nil, tt.version, &dst, &src, []byte("token"))
		if b[0]&0xf0 != want[0]&0xf0 || !bytes.Equal(b[1:], want[1:]) {
			t.Errorf("%v: AppendRetry = %x, want %x", tt.version, b, want)
		}
		b = append(b, make([]byte, RetryTagLen)...)
		h, ok := ParseLongHeader(b)
		if !ok || h.Type != RetryPacket || string(h.Token) != "token" || h.SrcID != src || h.PacketLen != len(b) {
			t.Errorf("%v: parsed as %+v, %v", tt.version, h, ok)
		}
	}
}

func TestShortHeader(t *testing.T) {
	dst := testID(t, "0102")
	tests := []struct {
		spin, phase bool
		pn          PacketNumber
		pnLen       int
		want        string
	}{
		{false, false, 0x12345678, 1, "40010278"},
		{true, false, 0x12345678, 2, "6101025678"},
		{false, true, 0x12345678, 3, "460102345678"},
		{true, true, 0x12345678, 4, "67010212345678"},
	}
	for _, tt := range tests {
		b := AppendShortHeader(nil, &dst, tt.spin, tt.phase, tt.pn, tt.pnLen)
		if !bytes.Equal(b, unhex(t, tt.want)) {
			t.Errorf("AppendShortHeader(%v, %v, %#x, %d) = %x, want %s", tt.spin, tt.phase, tt.pn, tt.pnLen, b, tt.want)
		}
		inv, ok := ParseInvariant(b, 2)
		if !ok || inv.Long || !bytes.Equal(inv.DstID, dst.Bytes()) {
			t.Errorf("ParseInvariant(%x) = %+v, %v", b, inv, ok)
		}
	}
	if inv, ok := ParseInvariant([]byte{0x40, 1}, 2); ok {
		t.Errorf("truncated short header parsed as %+v", inv)
	}
}

func TestInvariantLongIDs(t *testing.T) {
	// RFC 8999 allows 255 bytes.
	id := bytes.Repeat([]byte{7}, 255)
	b := []byte{0x80, 0xff, 0, 0, 1, 255}
	b = append(append(b, id...), 255)
	b = append(b, id...)
	inv, ok := ParseInvariant(b, 8)
	if !ok || !inv.Long || inv.Version != 0xff000001 || !bytes.Equal(inv.DstID, id) || !bytes.Equal(inv.SrcID, id) {
		t.Errorf("ParseInvariant = %+v, %v", inv, ok)
	}
	for i := range b {
		if _, ok := ParseInvariant(b[:i], 8); ok {
			t.Errorf("parsed though truncated to %d of %d bytes", i, len(b))
		}
	}
}

func TestVersionNegotiation(t *testing.T) {
	dst, src := []byte{1, 2, 3}, bytes.Repeat([]byte{9}, 200)
	want := []Version{Version1, Version2, 0x1a2a3a4a}
	b := AppendVersionNegotiation(nil, dst, src, 0x15, want)
	if b[0] != 0xd5 {
		t.Errorf("first byte is %#x, want 0xd5", b[0])
	}
	inv, ok := ParseInvariant(b, 0)
	if !ok || inv.Version != 0 || !bytes.Equal(inv.DstID, dst) || !bytes.Equal(inv.SrcID, src) {
		t.Errorf("ParseInvariant = %+v, %v", inv, ok)
	}
	versions, ok := ParseVersionNegotiation(b)
	if !ok {
		t.Fatal("not parsed")
	}
	if got := slices.Collect(versions); !slices.Equal(got, want) {
		t.Errorf("versions are %v, want %v", got, want)
	}
	for v := range versions {
		if v != want[0] {
			t.Errorf("first version is %v, want %v", v, want[0])
		}
		break
	}
	for _, bad := range [][]byte{
		b[:len(b)-1],
		b[:len(b)-12], // no version at all
		AppendShortHeader(nil, &ConnectionID{}, false, false, 0, 4),
		append([]byte{0xc0, 0, 0, 0, 1}, b[5:]...),
	} {
		if _, ok := ParseVersionNegotiation(bad); ok {
			t.Errorf("parsed %x", bad)
		}
	}
}

// FuzzPacket parses arbitrary packets, and checks that a parsed long header
// appended again is parsed the same.
func FuzzPacket(f *testing.F) {
	f.Add(unhex(f, "c300000001088394c8f03e51570800000500000002ff"))
	f.Add(unhex(f, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"))
	f.Add(unhex(f, "cf6b3343cf0008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"))
	f.Add(AppendVersionNegotiation(nil, []byte{1}, []byte{2}, 3, []Version{Version1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if versions, ok := ParseVersionNegotiation(b); ok && len(slices.Collect(versions)) == 0 {
			t.Fatal("no versions")
		}
		h, ok := ParseLongHeader(b)
		if !ok {
			return
		}
		if inv, ok := ParseInvariant(b, 0); !ok || !bytes.Equal(inv.DstID, h.DstID.Bytes()) || !bytes.Equal(inv.SrcID, h.SrcID.Bytes()) {
			t.Fatalf("ParseInvariant = %+v, %v; ParseLongHeader = %+v", inv, ok, h)
		}
		if h.PacketLen > len(b) || h.PNOffset > h.PacketLen {
			t.Fatalf("%d bytes: PacketLen %d, PNOffset %d", len(b), h.PacketLen, h.PNOffset)
		}
		var again []byte
		if h.Type == RetryPacket {
			again = AppendRetry(nil, h.Version, &h.DstID, &h.SrcID, h.Token)
			again = append(again, make([]byte, RetryTagLen)...)
		} else {
			var at int
			again, at = AppendLongHeader(nil, h.Type, h.Version, &h.DstID, &h.SrcID, h.Token, 0, 1)
			PutLength(again, at, 1)
		}
		g, ok := ParseLongHeader(again)
		if !ok || g.Type != h.Type || g.Version != h.Version || g.DstID != h.DstID || g.SrcID != h.SrcID ||
			!bytes.Equal(g.Token, h.Token) || g.PacketLen != len(again) {
			t.Fatalf("%+v became %+v, %v", h, g, ok)
		}
	})
}
