//go:build !purego

package gcm

import (
	"crypto/fips140"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd asm && go run . -out ../gcm_amd64.s"

// Bits of leaf 7 of CPUID. Package cpu tells of them only where there is AVX-512.
const (
	cpuidVAES       = 1 << 9
	cpuidVPCLMULQDQ = 1 << 10
)

var (
	// wide says that there is AVX-512, too.
	wide = available && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ &&
		cpu.X86.HasAVX512VAES && cpu.X86.HasAVX512VPCLMULQDQ

	// available: package cpu has asked the operating system for the registers (XGETBV), and
	// GODEBUG. In FIPS 140-3 mode what is not part of Go's module is not used.
	available = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasAVX2 && hasVectorAES() && !fips140.Enabled()
)

func hasVectorAES() bool {
	const want = cpuidVAES | cpuidVPCLMULQDQ
	return cpuid7()&want == want
}

func seal(k *Key, train *byte, packets *Packet, n int) {
	if wide {
		sealAVX512(k, train, packets, n)
	} else {
		sealAVX2(k, train, packets, n)
	}
}

func open(k *Key, train *byte, packets *Packet, n int) {
	if wide {
		openAVX512(k, train, packets, n)
	} else {
		openAVX2(k, train, packets, n)
	}
}

// cpuid7 returns ECX of leaf 7 of CPUID, or 0 where there is none.
func cpuid7() uint32

//go:noescape
func sealAVX2(key *Key, train *byte, packets *Packet, n int)

//go:noescape
func openAVX2(key *Key, train *byte, packets *Packet, n int)

//go:noescape
func sealAVX512(key *Key, train *byte, packets *Packet, n int)

//go:noescape
func openAVX512(key *Key, train *byte, packets *Packet, n int)

//go:noescape
func expand128(s *schedule, key *byte)

//go:noescape
func expand256(s *schedule, key *byte)

// hashKeys makes the powers of H and their sums, and adds round key 0 to the IV.
//
//go:noescape
func hashKeys(key *Key)

//go:noescape
func masks(m *Masks, blocks *[BlockSize]byte, n int)
