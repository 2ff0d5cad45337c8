//go:build unix && amd64 && !purego

package gcm

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

// guarded returns memory of at least n bytes between two pages that nobody may touch.
func guarded(t *testing.T, n int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	n = (n + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, n+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(b) })
	for _, guard := range [][]byte{b[:page], b[page+n:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return b[page : page+n]
}

// TestGuardPages has nothing readable in front of packets, and then behind them.
func TestGuardPages(t *testing.T) {
	const longest = 700
	random := rand.NewChaCha8([32]byte{6})
	memory := guarded(t, 64+longest+TagSize)
	plain, want := make([]byte, 64+longest+TagSize), make([]byte, 64+longest+TagSize)
	random.Read(plain)
	for _, p := range pairs(t, random) {
		for _, im := range implementations {
			for n := range longest + 1 {
				for _, header := range []int{0, 1, 11, 16, 25, 47} {
					packet := Packet{Header: header, End: header + n + TagSize, Number: uint64(n)}
					for _, work := range [][]byte{memory[:packet.End], memory[len(memory)-packet.End:]} {
						copy(work, plain)
						copy(want, plain)
						p.reference.seal(want, plain, &packet)
						p.wantBothIn(t, im, plain[:packet.End], work, want[:packet.End], []Packet{packet})
					}
				}
			}
		}
	}
}
