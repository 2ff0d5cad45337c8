package wire

import (
	"bytes"
	"testing"
)

func TestStreamID(t *testing.T) {
	tests := []struct {
		id   StreamID
		side Side
		uni  bool
		seq  uint64
	}{
		// RFC 9000, Section 2.1.
		{0, ClientSide, false, 0},
		{1, ServerSide, false, 0},
		{2, ClientSide, true, 0},
		{3, ServerSide, true, 0},
		{4, ClientSide, false, 1},
		{MaxVarint, ServerSide, true, MaxStreamCount - 1},
	}
	for _, tt := range tests {
		if got := NewStreamID(tt.side, tt.uni, tt.seq); got != tt.id {
			t.Errorf("NewStreamID(%v, %v, %d) = %d, want %d", tt.side, tt.uni, tt.seq, got, tt.id)
		}
		if tt.id.Initiator() != tt.side || tt.id.Uni() != tt.uni || tt.id.Seq() != tt.seq {
			t.Errorf("stream %d is of %v, uni %v, seq %d", tt.id, tt.id.Initiator(), tt.id.Uni(), tt.id.Seq())
		}
	}
}

func TestConnectionID(t *testing.T) {
	for n := range MaxConnectionIDLen + 2 {
		b := bytes.Repeat([]byte{0xa5}, n)
		id, ok := NewConnectionID(b)
		if ok != (n <= MaxConnectionIDLen) {
			t.Errorf("NewConnectionID of %d bytes: ok = %v", n, ok)
		}
		if ok && (id.Len() != n || !bytes.Equal(id.Bytes(), b)) {
			t.Errorf("NewConnectionID(%x) = %v of %d bytes", b, id, id.Len())
		}
	}
	short, _ := NewConnectionID([]byte{1})
	long, _ := NewConnectionID([]byte{1, 0})
	if short == long {
		t.Error("IDs 01 and 0100 are equal")
	}
	if got := long.String(); got != "0100" {
		t.Errorf("String() = %q, want 0100", got)
	}
}

func TestSide(t *testing.T) {
	if ClientSide.Peer() != ServerSide || ServerSide.Peer() != ClientSide {
		t.Error("Peer does not return the other side")
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		v    interface{ String() string }
		want string
	}{
		{Version1, "v1"},
		{Version2, "v2"},
		{Version(0x0a0a0a0a), "0x0a0a0a0a"},
		{ClientSide, "client"},
		{ServerSide, "server"},
		{InitialSpace, "initial"},
		{HandshakeSpace, "handshake"},
		{AppSpace, "application"},
		{NoError, "NO_ERROR"},
		{NoViablePath, "NO_VIABLE_PATH"},
		{CryptoErrorBase + 120, "CRYPTO_ERROR (TLS alert 120)"},
		{ErrorCode(0x200), "error 0x200"},
		{ErrorCode(MaxVarint), "error 0x3fffffffffffffff"},
		{InitialPacket, "Initial"},
		{OneRTTPacket, "1-RTT"},
		{PacketType(9), "unknown packet type"},
		{FrameStream | StreamFin | StreamOff, "STREAM"},
		{FrameDatagramLen, "DATAGRAM"},
		{FrameType(0x1f), "frame 0x1f"},
		{FrameType(MaxVarint), "frame 0x3fffffffffffffff"},
	}
	for _, tt := range tests {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("%T: String() = %q, want %q", tt.v, got, tt.want)
		}
	}
}
