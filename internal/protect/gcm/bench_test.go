//go:build amd64 && !purego

package gcm

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkPackets seals and opens trains, and has crypto/cipher in between. MB/s is of
// payload.
func BenchmarkPackets(b *testing.B) {
	const header = 11
	p := pairs(b, rand.NewChaCha8([32]byte{}))[0]
	for _, size := range []int{64, 1200, 1424} {
		for _, count := range []int{1, 8, 40} {
			train := make([]byte, count*(header+size+TagSize))
			var packets []Packet
			for i := range count {
				start := i * (header + size + TagSize)
				packets = append(packets, Packet{Start: start, Header: header, End: start + header + size + TagSize, Number: uint64(i)})
			}
			run := func(name string, do func()) {
				b.Run(fmt.Sprintf("%s/%dx%d", name, count, size), func(b *testing.B) {
					b.SetBytes(int64(count * size))
					for b.Loop() {
						do()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/packet")
				})
			}
			run("seal", func() { p.Seal(train, packets) })
			run("open", func() { open(p.Key, &train[0], &packets[0], count) })
			run("crypto", func() {
				for i := range packets {
					p.reference.seal(train, train, &packets[i])
				}
			})
		}
	}
}

// BenchmarkKeys is what it costs to make keys.
func BenchmarkKeys(b *testing.B) {
	need(b)
	var iv [IVSize]byte
	key := make([]byte, 16)
	b.ReportAllocs()
	for b.Loop() {
		NewKey(key, &iv)
	}
}
