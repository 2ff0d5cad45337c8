package protect

import (
	"errors"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestPacketsDoNotAllocate holds sealing and opening to no allocation.
func TestPacketsDoNotAllocate(t *testing.T) {
	for _, s := range suites {
		a, b := newPeers(t, s)
		sealer, opener := newPair(t, s)
		pkt, at := shortPacket(0, 2, false, make([]byte, 1300))
		plain := len(pkt)
		pn := wire.PacketNumber(0)
		if n := testing.AllocsPerRun(100, func() {
			pkt[0] = 0x41
			b.keys.Open(a.keys.Seal(pkt[:plain], at, 2, pn), at, pn-1)
			pkt[0] = 0x41
			opener.Open(sealer.Seal(pkt[:plain], at, 2, pn), at, pn-1)
			pn++
		}); n != 0 {
			t.Errorf("%v: %v allocations for sealing and opening, want 0", s, n)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, s := range suites {
		b.Run(s.String(), func(b *testing.B) {
			sealer, _ := newPair(b, s)
			pkt, at := shortPacket(0, 2, false, make([]byte, 1350))
			b.SetBytes(int64(len(pkt)))
			b.ReportAllocs()
			for b.Loop() {
				sealer.Seal(pkt, at, 2, 1)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, s := range suites {
		b.Run(s.String(), func(b *testing.B) {
			sealer, opener := newPair(b, s)
			pkt, at := shortPacket(1, 2, false, make([]byte, 1350))
			sealed := sealer.Seal(pkt, at, 2, 1)
			work := make([]byte, len(sealed))
			b.SetBytes(int64(len(sealed)))
			b.ReportAllocs()
			for b.Loop() {
				copy(work, sealed)
				if _, _, err := opener.Open(work, at, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewInitial(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewInitial(wire.Version1, []byte("12345678"), wire.ServerSide)
	}
}

// BenchmarkWake makes the ciphers of a connection at rest again.
func BenchmarkWake(b *testing.B) {
	var k AppKeys
	secret := testSecret(AES128GCM, 1)
	if err := errors.Join(k.SetReadSecret(wire.Version1, AES128GCM, secret), k.SetWriteSecret(wire.Version1, AES128GCM, secret)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		k.Rest()
		k.wake()
	}
}

// BenchmarkAppKeys is what the keys of a connection cost.
func BenchmarkAppKeys(b *testing.B) {
	for _, s := range suites {
		b.Run(s.String(), func(b *testing.B) {
			secret := testSecret(s, 1)
			b.ReportAllocs()
			for b.Loop() {
				var k AppKeys
				_ = k.SetReadSecret(wire.Version1, s, secret)
				_ = k.SetWriteSecret(wire.Version1, s, secret)
			}
		})
	}
}
