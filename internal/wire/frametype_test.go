package wire

import "testing"

// TestAllowedIn repeats the table of RFC 9000, Section 12.4, and RFC 9221.
func TestAllowedIn(t *testing.T) {
	tests := []struct {
		first, last FrameType
		pkts        string
	}{
		{0x00, 0x01, "IH01"},
		{0x02, 0x03, "IH_1"},
		{0x04, 0x05, "__01"},
		{0x06, 0x06, "IH_1"},
		{0x07, 0x07, "___1"},
		{0x08, 0x1a, "__01"},
		{0x1b, 0x1b, "___1"},
		{0x1c, 0x1c, "IH01"},
		{0x1d, 0x1d, "__01"},
		{0x1e, 0x1e, "___1"},
		{0x1f, 0x23, "____"},
		{0x24, 0x24, "__01"},
		{0x25, 0x2f, "____"},
		{0x30, 0x31, "__01"},
		{0x32, 0x40, "____"},
		{MaxVarint, MaxVarint, "____"},
	}
	packets := []PacketType{InitialPacket, HandshakePacket, ZeroRTTPacket, OneRTTPacket}
	for _, tt := range tests {
		for ft := tt.first; ft <= tt.last; ft++ {
			for i, p := range packets {
				if got, want := AllowedIn(ft, p), tt.pkts[i] != '_'; got != want {
					t.Errorf("AllowedIn(%#x, %v) = %v, want %v", uint64(ft), p, got, want)
				}
			}
			for _, p := range []PacketType{RetryPacket, VersionNegotiationPacket} {
				if AllowedIn(ft, p) {
					t.Errorf("AllowedIn(%#x, %v) = true", uint64(ft), p)
				}
			}
		}
	}
}

func TestAckEliciting(t *testing.T) {
	not := map[FrameType]bool{
		FramePadding: true, FrameAck: true, FrameAckECN: true,
		FrameConnectionClose: true, FrameConnectionCloseApp: true,
	}
	for ft := range FrameDatagramLen + 1 {
		if got := ft.AckEliciting(); got == not[ft] {
			t.Errorf("%#x: AckEliciting() = %v", uint64(ft), got)
		}
	}
}

func TestIsStream(t *testing.T) {
	for ft := range FrameType(0x110) {
		if got, want := ft.IsStream(), ft >= 0x08 && ft <= 0x0f; got != want {
			t.Errorf("%#x: IsStream() = %v", uint64(ft), got)
		}
	}
}

func TestConsumeFrameType(t *testing.T) {
	tests := []struct {
		in    string
		want  FrameType
		wantN int
	}{
		{"06ff", FrameCrypto, 1},
		{"3f", 0x3f, 1},
		{"4040", 0x40, 2},
		{"80004000", 0x4000, 4},
		{"", 0, -1},
		{"40", 0, -1},
		{"4006", 0, -1},             // CRYPTO in two bytes
		{"80000006", 0, -1},         // in four
		{"c000000000000006", 0, -1}, // in eight
		{"ffffffffffffffff", MaxVarint, 8},
	}
	for _, tt := range tests {
		if got, n := ConsumeFrameType(unhex(t, tt.in)); got != tt.want || n != tt.wantN {
			t.Errorf("ConsumeFrameType(%s) = %v, %d; want %v, %d", tt.in, got, n, tt.want, tt.wantN)
		}
	}
}
