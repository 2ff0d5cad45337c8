package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	. "github.com/mmcloughlin/avo/build"
)

// The general registers of the functions for packets.
var (
	key     = RDI
	train   = RSI
	packet  = RDX
	packets = RCX // left
	at      = R8  // where the next bytes of the packet are
	left    = R9  // bytes of payload that are not yet encrypted or decrypted
	count   = R10 // of blocks encrypted, in whole batches
	hashAt  = R11 // where the next bytes for GHASH are, in what comes last
	pairs   = R12 // whole pairs of blocks in what comes last
	powers  = R13 // where the power is that comes next
	tmp     = RAX
	tmp2    = RBX
)

// The vector registers. The rest, from 0 on, are AES's.
const (
	vEndTmp   = 2 // while what comes last is hashed
	vLow      = 3 // then, too
	vTagMask  = 7 // when what comes last is sealed
	vRoundKey = 8
	vSum      = 9
	vMid      = 10
	vTop      = 11
	vData     = 12
	vTmp      = 13
	vTmp2     = 14
	vCounter  = 15
)

// ends is GHASH of what comes last, in which GHASH has three registers for products.
var ends = ghash{w: 2, sum: vSum, low: vLow, mid: vMid, top: vTop, data: vData, tmp: vTmp2, tmp2: vEndTmp}

// direction is a function that seals or opens packets with registers of a width.
type direction struct {
	name string
	w    width // where there is much
}

// text begins the function and calls body for the work on each packet.
func (d direction) text(body func()) {
	TEXT(d.name, attr.NOSPLIT|attr.NOFRAME, "func(key, train, packets *byte, n int)")
	Pragma("noescape")
	Load(Param("key"), key)
	Load(Param("train"), train)
	Load(Param("packets"), packet)
	Load(Param("n"), packets)
	Label("packet")
	d.begin()
	body()
	ADDQ(Imm(packetSize), packet)
	DECQ(packets)
	JNZ(LabelRef("packet"))
	// No key and no text stays in a register.
	VZEROALL()
	RET()
}

// begin finds the payload, hashes the header and makes the counter.
func (d direction) begin() {
	MOVQ(Mem{Base: packet, Disp: packetStart}, at)
	MOVQ(Mem{Base: packet, Disp: packetEnd}, left)
	SUBQ(at, left)
	ADDQ(train, at)
	MOVQ(Mem{Base: packet, Disp: packetHeader}, tmp)
	SUBQ(tmp, left)
	SUBQ(Imm(blockSize), left) // the tag

	nonce(vCounter)
	d.w.spread(vCounter)
	XORL(count.As32(), count.As32())

	g := ghash{w: 1, sum: vSum, low: vSum, mid: vMid, top: vTop, data: vData, tmp: vTmp, tmp2: vTmp2}
	g.w.zero(g.sum)
	Label("header")
	CMPQ(tmp, Imm(blockSize))
	JB(LabelRef("headerEnd"))
	g.w.load(Mem{Base: at}, g.data)
	g.w.reverse(g.data, g.data)
	g.multiply(key)
	ADDQ(Imm(blockSize), at)
	SUBQ(Imm(blockSize), tmp)
	JMP(LabelRef("header"))
	Label("headerEnd")
	TESTQ(tmp, tmp)
	JZ(LabelRef("payload"))
	loadPart(at, 0, tmp, g.data)
	g.w.reverse(g.data, g.data)
	g.multiply(key)
	ADDQ(tmp, at)
	Label("payload")
}

// nonce makes the packet's nonce with a counter of zero, and round key 0 added.
func nonce(to int) {
	MOVQ(Mem{Base: packet, Disp: packetNumber}, tmp2)
	BSWAPQ(tmp2)
	VMOVQ(tmp2, xs[to])
	VPSLLDQ(Imm(4), xs[to], xs[to])
	VPXOR(Mem{Base: key, Disp: keyIV}, xs[to], xs[to])
}

// loadPart reads a block of which only the first n bytes, 1 to 16, count; the others are
// within the packet, in front of the end of its tag.
func loadPart(base Register, disp int, n Register, to int) {
	partMask(n, to)
	VPAND(Mem{Base: base, Disp: disp}, xs[to], xs[to])
}

// partMask makes the mask of the first n bytes, 1 to 16, of a block.
func partMask(n Register, to int) {
	LEAQ(partial.Offset(blockSize), tmp2)
	SUBQ(n, tmp2)
	VMOVDQU(Mem{Base: tmp2}, xs[to])
}

// aes returns the encryption of a batch.
func (d direction) aes(label string) aes {
	return aes{w: d.w, regs: batchBlocks / int(d.w), extra: -1, roundKey: vRoundKey, key: key, long: keyLong, label: label}
}

// ghash returns GHASH of a batch.
func (d direction) ghash() ghash {
	return ghash{w: d.w, sum: vSum, low: vSum, mid: vMid, top: vTop, data: vData, tmp: vTmp, tmp2: vTmp2}
}

// planEnds finds how many whole pairs of blocks come last, and with which power of H the
// first of them is to be multiplied: one more for each block behind it, and the lengths.
func planEnds() {
	MOVQ(at, hashAt)
	MOVQ(left, pairs)
	SHRQ(Imm(5), pairs)
	// 1 + left/16, rounded up, is the power.
	LEAQ(Mem{Base: left, Disp: 2*blockSize - 1}, tmp)
	ANDQ(I32(-blockSize), tmp)
	LEAQ(Mem{Base: key, Disp: keyPowers + maxPower*blockSize}, powers)
	SUBQ(tmp, powers)
}

// addEnds adds the blocks in data to GHASH.
func addEnds() {
	g := ends
	g.w.xor(g.sum, g.data)
	g.w.zero(g.sum)
	g.add(Mem{Base: powers}, Mem{Base: powers, Disp: keySums - keyPowers}, false)
}

// hashPairs hashes the whole pairs of blocks that come last.
func hashPairs() {
	g := ends
	g.w.zero(g.low)
	g.w.zero(g.mid)
	g.w.zero(g.top)
	TESTQ(pairs, pairs)
	JZ(LabelRef("pairsEnd"))
	Label("pair")
	g.w.load(Mem{Base: hashAt}, g.data)
	g.w.reverse(g.data, g.data)
	addEnds()
	ADDQ(Imm(2*blockSize), hashAt)
	ADDQ(Imm(2*blockSize), powers)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	Label("pairsEnd")
}

// lengths makes the last block of GHASH, in vTmp, byte-reversed.
func lengths() {
	MOVQ(Mem{Base: packet, Disp: packetEnd}, tmp2)
	SUBQ(Mem{Base: packet, Disp: packetStart}, tmp2)
	SUBQ(Imm(blockSize), tmp2)
	MOVQ(Mem{Base: packet, Disp: packetHeader}, tmp)
	SUBQ(tmp, tmp2)
	SHLQ(Imm(3), tmp)
	SHLQ(Imm(3), tmp2)
	VMOVQ(tmp2, xs[vTmp])
	VPINSRQ(Imm(1), tmp, xs[vTmp], xs[vTmp])
}

// hashEnd hashes what is left, less than a pair of blocks, with the lengths, and leaves
// the tag, but for its mask, in vSum. load1 loads a block of up to 16 bytes into vData,
// and load2 two of which the second is short; both leave them as they come.
func hashEnd(n Register, load1, load2 func()) {
	g := ends
	lengths()
	TESTQ(n, n)
	JZ(LabelRef("none"))
	CMPQ(n, Imm(blockSize))
	JA(LabelRef("two"))
	load1()
	width(1).reverse(g.data, g.data)
	VINSERTI128(Imm(1), xs[vTmp], ys[g.data], ys[g.data])
	JMP(LabelRef("hashEnd"))
	Label("two")
	load2()
	g.w.reverse(g.data, g.data)
	addEnds()
	ADDQ(Imm(2*blockSize), powers)
	Label("none")
	VMOVDQA(xs[vTmp], xs[g.data])
	Label("hashEnd")
	addEnds()
	g.reduceAll()
	width(1).reverse(g.sum, g.sum)
}

// endCipher makes the key stream of what comes last, and the mask of the tag, in vTmp, with
// as many registers as it takes, and adds it up to the last whole pair of blocks. Meanwhile
// it does other work, which needs what AES does not need. Labels begin with a prefix.
func endCipher(prefix string, other []func()) {
	label := func(regs int) string { return fmt.Sprintf("%s%d", prefix, regs) }
	some := []int{4, 6, batchBlocks / 2}
	for _, regs := range some[:2] {
		CMPQ(left, U32(regs*2*blockSize))
		JBE(LabelRef(label(regs)))
	}
	JMP(LabelRef(label(some[2])))
	for _, regs := range some {
		Label(label(regs))
		a := aes{w: 2, regs: regs, extra: vTagMask, roundKey: vRoundKey, key: key, long: keyLong, label: label(regs) + "late"}
		with := other
		if regs > vTagMask {
			// There is no register left.
			for _, step := range other {
				step()
			}
			a.extra, with = vTmp, nil
		}
		nonce(a.extra)
		VPXOR(one, xs[a.extra], xs[a.extra])
		a.counters(vCounter, count, tmp)
		a.rounds(with)
		a.last()
		if a.extra != vTmp {
			VMOVDQA(xs[a.extra], xs[vTmp])
		}
		xorPairs(label(regs), regs)
	}
}

// xorPairs adds the key stream to the whole pairs of blocks that come last, and leaves what
// follows in register 0.
func xorPairs(label string, regs int) {
	for i := range regs {
		CMPQ(left, Imm(2*blockSize))
		JB(LabelRef(fmt.Sprintf("%sstop%d", label, i)))
		VPXOR(Mem{Base: at}, ys[i], ys[i])
		VMOVDQU(ys[i], Mem{Base: at})
		ADDQ(Imm(2*blockSize), at)
		SUBQ(Imm(2*blockSize), left)
	}
	JMP(LabelRef("pairsDone"))
	for i := range regs {
		Label(fmt.Sprintf("%sstop%d", label, i))
		if i > 0 {
			VMOVDQA(ys[i], ys[0])
		}
		JMP(LabelRef("pairsDone"))
	}
}
