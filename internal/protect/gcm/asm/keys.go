package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	. "github.com/mmcloughlin/avo/build"
)

// expand128 and expand256 expand keys (FIPS 197, Section 5.2).

func expand128() {
	TEXT("expand128", attr.NOSPLIT|attr.NOFRAME, "func(s, key *byte)")
	Load(Param("s"), RDI)
	Load(Param("key"), RSI)
	VMOVDQU(Mem{Base: RSI}, X0)
	VMOVDQU(X0, Mem{Base: RDI, Disp: keyFirst})
	rcon := uint64(1)
	for i := range lateRounds {
		expandStep(0, 0, rcon, 0xff)
		VMOVDQU(X0, Mem{Base: RDI, Disp: keyLate + i*blockSize})
		if rcon <<= 1; rcon > 0xff {
			rcon ^= 0x11b
		}
	}
	VZEROALL()
	RET()
}

func expand256() {
	TEXT("expand256", attr.NOSPLIT|attr.NOFRAME, "func(s, key *byte)")
	Load(Param("s"), RDI)
	Load(Param("key"), RSI)
	for i := range 2 {
		VMOVDQU(Mem{Base: RSI, Disp: i * blockSize}, xs[i])
		VMOVDQU(xs[i], Mem{Base: RDI, Disp: i * blockSize})
	}
	for i := 2; i <= 14; i++ {
		if this, other := i%2, 1-i%2; this == 0 {
			expandStep(this, other, 1<<(i/2-1), 0xff)
		} else {
			expandStep(this, other, 0, 0xaa)
		}
		VMOVDQU(xs[i%2], Mem{Base: RDI, Disp: i * blockSize})
	}
	VZEROALL()
	RET()
}

// expandStep makes the next round key in a register, from the one before in the same place
// and a word of the latest one.
func expandStep(this, latest int, rcon, word uint64) {
	VAESKEYGENASSIST(Imm(rcon), xs[latest], X2)
	VPSHUFD(Imm(word), X2, X2)
	for _, bytes := range []uint64{4, 8} {
		VPSLLDQ(Imm(bytes), xs[this], X3)
		VPXOR(X3, xs[this], xs[this])
	}
	VPXOR(X2, xs[this], xs[this])
}

// hashKeys makes the powers of H, the encrypted zero, and the sums of their halves, and adds
// round key 0 to the IV.
func hashKeys() {
	TEXT("hashKeys", attr.NOSPLIT|attr.NOFRAME, "func(key *byte)")
	Load(Param("key"), key)
	const h, square, power2 = 0, 1, 2 // H; H^2 in both blocks; the power reached and the one before
	a := aes{w: 1, regs: 1, extra: -1, roundKey: vRoundKey, key: key, long: keyLong, label: "late"}
	width(1).load(Mem{Base: key, Disp: keyFirst}, h)
	width(1).xorOf(Mem{Base: key, Disp: keyIV}, h, 1)
	width(1).store(1, Mem{Base: key, Disp: keyIV})
	a.rounds(nil)
	a.last()
	width(1).reverse(h, h)
	// Times x: what POLYVAL's key is to GHASH's (RFC 8452, Appendix A).
	VPSHUFD(Imm(0xff), X0, X3)
	VPSRAD(Imm(31), X3, X3)
	VPAND(double, X3, X3)
	VPSRLQ(Imm(63), X0, X4)
	VPSLLDQ(Imm(8), X4, X4)
	VPSLLQ(Imm(1), X0, X0)
	VPOR(X4, X0, X0)
	VPXOR(X3, X0, X0)

	VMOVDQA(X0, xs[power2])
	product(1, h, power2)
	VINSERTI128(Imm(1), xs[power2], ys[power2], ys[square])
	VINSERTI128(Imm(1), xs[h], ys[power2], ys[power2])
	for n := 2; n < maxPower; n += 2 {
		saveProducts(2, power2, n)
		product(2, square, power2)
	}
	VEXTRACTI128(Imm(1), ys[power2], xs[power2])
	saveProducts(1, power2, maxPower)
	VZEROALL()
	RET()
}

// product multiplies a register by another one.
func product(w width, by, to int) {
	const low, mid, top, data, tmp = 3, 4, 5, 6, 7
	w.clmul(lowLow, w.reg(by), to, low)
	w.clmul(highHigh, w.reg(by), to, top)
	w.swapHalves(to, mid)
	w.xor(to, mid)
	w.swapHalves(by, tmp)
	w.xor(by, tmp)
	w.clmul(lowLow, w.reg(tmp), mid, mid)
	g := ghash{w: w, low: low, mid: mid, top: top, tmp: tmp}
	g.reduce(0)
	g.reduce(1)
	VMOVDQA(w.reg(top), w.reg(to))
}

// saveProducts stores powers from n down, and their sums.
func saveProducts(w width, from, n int) {
	const tmp = 3
	w.store(from, Mem{Base: key, Disp: keyPowers + power(n)})
	w.swapHalves(from, tmp)
	w.xor(from, tmp)
	w.store(tmp, Mem{Base: key, Disp: keySums + power(n)})
}

// masks encrypts blocks in place, for header protection: eight at a time, and the rest one by
// one.
func masks() {
	TEXT("masks", attr.NOSPLIT|attr.NOFRAME, "func(m, blocks *byte, n int)")
	schedule, blocks, n := RDI, RSI, RCX
	Load(Param("m"), schedule)
	Load(Param("blocks"), blocks)
	Load(Param("n"), n)
	loop := func(name string, w width, regs int) {
		size := regs * int(w)
		Label(name)
		CMPQ(n, Imm(uint64(size)))
		JB(LabelRef(name + "End"))
		for i := range regs {
			w.load(Mem{Base: blocks, Disp: i * w.size()}, i)
		}
		a := aes{w: w, regs: regs, extra: -1, roundKey: vRoundKey, key: schedule, long: masksLong, label: name + "Late"}
		a.whiten()
		a.rounds(nil)
		a.last()
		for i := range regs {
			w.store(i, Mem{Base: blocks, Disp: i * w.size()})
		}
		ADDQ(U32(size*blockSize), blocks)
		SUBQ(Imm(uint64(size)), n)
		JMP(LabelRef(name))
		Label(name + "End")
	}
	loop("eight", 2, 4)
	loop("single", 1, 1)
	VZEROALL()
	RET()
}

// cpuid7 asks the processor for what it has.
func cpuid7() {
	TEXT("cpuid7", attr.NOSPLIT|attr.NOFRAME, "func() uint32")
	XORL(EAX, EAX)
	CPUID()
	XORL(ECX, ECX)
	CMPL(EAX, Imm(7))
	JB(LabelRef("none"))
	MOVL(U32(7), EAX)
	CPUID()
	Label("none")
	Store(ECX, ReturnIndex(0))
	RET()
}
