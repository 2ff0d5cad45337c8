package protect

import (
	"errors"
	"fmt"
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
		var train Train
		if n := testing.AllocsPerRun(100, func() {
			pkt[0] = 0x41
			a.keys.SealTrain(&train, a.keys.SealLater(&train, pkt[:plain], 0, at, 2, pn))
			pn++
		}); n != 0 {
			t.Errorf("%v: %v allocations for sealing a train, want 0", s, n)
		}
	}
}

// sizes are of the packets that benchmarks seal and open, without the tag.
var sizes = []int{64, 1200, 1424}

func BenchmarkSeal(b *testing.B) {
	for _, s := range suites {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%v/%d", s, size), func(b *testing.B) {
				sealer, _ := newPair(b, s)
				pkt, at := shortPacket(0, 2, false, make([]byte, size-11))
				b.SetBytes(int64(len(pkt)))
				b.ReportAllocs()
				for b.Loop() {
					sealer.Seal(pkt, at, 2, 1)
				}
			})
		}
	}
}

// BenchmarkSealTrain seals trains of 8 and 40 packets.
func BenchmarkSealTrain(b *testing.B) {
	for _, s := range suites {
		for _, size := range sizes {
			for _, count := range []int{8, 40} {
				b.Run(fmt.Sprintf("%v/%dx%d", s, count, size), func(b *testing.B) {
					var k AppKeys
					if err := k.SetWriteSecret(wire.Version1, s, testSecret(s, 1)); err != nil {
						b.Fatal(err)
					}
					pkt, at := shortPacket(0, 2, false, make([]byte, size-11))
					buf := make([]byte, 0, count*(size+Overhead))
					var train Train
					b.SetBytes(int64(count * size))
					b.ReportAllocs()
					for b.Loop() {
						out := buf
						for i := range count {
							start := len(out)
							out = out[:start+size]
							out[start] = pkt[0]
							out = k.SealLater(&train, out, start, at, 2, wire.PacketNumber(i))
						}
						k.SealTrain(&train, out)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/packet")
				})
			}
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, s := range suites {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%v/%d", s, size), func(b *testing.B) {
				sealer, opener := newPair(b, s)
				pkt, at := shortPacket(1, 2, false, make([]byte, size-11))
				sealed := sealer.Seal(pkt, at, 2, 1)
				work := make([]byte, len(sealed))
				b.SetBytes(int64(size))
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
