package wire

import "testing"

func TestLevels(t *testing.T) {
	tests := []struct {
		level  Level
		space  Space
		crypto bool
		name   string
	}{
		{InitialLevel, InitialSpace, true, "Initial"},
		{ZeroRTTLevel, AppSpace, false, "0-RTT"},
		{HandshakeLevel, HandshakeSpace, true, "Handshake"},
		{OneRTTLevel, AppSpace, true, "1-RTT"},
	}
	for _, tt := range tests {
		if tt.level.Space() != tt.space || tt.level.String() != tt.name {
			t.Errorf("level %v has space %v", tt.level, tt.level.Space())
		}
		if got := tt.space.CryptoLevel() == tt.level; got != tt.crypto {
			t.Errorf("%v: handshake bytes: %v", tt.level, got)
		}
		if l, ok := tt.level.PacketType().Level(); !ok || l != tt.level {
			t.Errorf("packets of %v are of %v, %v", tt.level, l, ok)
		}
	}
	for _, p := range []PacketType{RetryPacket, VersionNegotiationPacket} {
		if l, ok := p.Level(); ok {
			t.Errorf("%v packets have level %v", p, l)
		}
	}
}
