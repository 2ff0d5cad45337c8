package wire

import "testing"

func TestPacketNumberLen(t *testing.T) {
	tests := []struct {
		pn, acked PacketNumber
		want      int
	}{
		// RFC 9000, Appendix A.2.
		{0xac5c02, 0xabe8b3, 2},
		{0xace8fe, 0xabe8b3, 3},
		// Borders: the range must be more than twice the distance.
		{0, NoPacket, 1},
		{126, NoPacket, 1},
		{127, NoPacket, 2},
		{1<<15 - 2, NoPacket, 2},
		{1<<15 - 1, NoPacket, 3},
		{1<<23 - 2, NoPacket, 3},
		{1<<23 - 1, NoPacket, 4},
		{MaxVarint, MaxVarint - 1, 1},
	}
	for _, tt := range tests {
		if got := PacketNumberLen(tt.pn, tt.acked); got != tt.want {
			t.Errorf("PacketNumberLen(%#x, %#x) = %d, want %d", tt.pn, tt.acked, got, tt.want)
		}
	}
}

func TestDecodePacketNumber(t *testing.T) {
	tests := []struct {
		largest   PacketNumber
		truncated uint64
		pnLen     int
		want      PacketNumber
	}{
		{0xa82f30ea, 0x9b32, 2, 0xa82f9b32}, // RFC 9000, Appendix A.3
		{NoPacket, 0, 1, 0},
		{NoPacket, 255, 1, 255},
		{NoPacket, 0xffffffff, 4, 0xffffffff},
		{0xff, 0x00, 1, 0x100},
		{0x100, 0xff, 1, 0xff},
		{MaxVarint, 0, 4, MaxVarint - 1<<32 + 1},
		{MaxVarint - 1, 0xff, 1, MaxVarint},
	}
	for _, tt := range tests {
		if got := DecodePacketNumber(tt.largest, tt.truncated, tt.pnLen); got != tt.want {
			t.Errorf("DecodePacketNumber(%#x, %#x, %d) = %#x, want %#x", tt.largest, tt.truncated, tt.pnLen, got, tt.want)
		}
	}
}

// FuzzPacketNumber checks that a packet number survives the way to a peer that
// has seen anything from what it last acknowledged to the packet before.
func FuzzPacketNumber(f *testing.F) {
	f.Add(uint64(0xabe8b3), uint64(0xabe8b3), uint64(0xac5c02))
	f.Fuzz(func(t *testing.T, acked, seen, sent uint64) {
		acked &= MaxVarint
		pn := acked + 1 + sent%(1<<31-1)
		if pn > MaxVarint {
			return
		}
		largest := acked + seen%(pn-acked)
		pnLen := PacketNumberLen(PacketNumber(pn), PacketNumber(acked))
		truncated := pn & (1<<(8*pnLen) - 1)
		if got := DecodePacketNumber(PacketNumber(largest), truncated, pnLen); got != PacketNumber(pn) {
			t.Fatalf("acked %#x, seen %#x: %#x in %d bytes decodes to %#x", acked, largest, pn, pnLen, got)
		}
	})
}
