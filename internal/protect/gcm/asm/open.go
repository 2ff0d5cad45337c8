package main

import (
	. "github.com/mmcloughlin/avo/operand"

	. "github.com/mmcloughlin/avo/build"
)

// open decrypts packets and says of each whether its tag is right. Each batch is hashed
// while it is decrypted.
func open(d direction) {
	d.text(func() {
		Label("batch")
		CMPQ(left, U32(batchSize))
		JB(LabelRef("end"))
		a := d.aes("late")
		a.counters(vCounter, count, tmp)
		a.rounds(d.ghash().batch(key, Mem{Base: at}))
		a.lastWith(at, vData, vTmp)
		next()
		JMP(LabelRef("batch"))
		Label("end")
		planEnds()
		hashPairs()
		MOVQ(left, pairs)
		ANDQ(Imm(2*blockSize-1), pairs)
		hashEnd(pairs, func() {
			loadPart(hashAt, 0, pairs, vData)
		}, func() {
			VMOVDQU(Mem{Base: hashAt}, xs[vTmp2])
			LEAQ(Mem{Base: pairs, Disp: -blockSize}, tmp)
			loadPart(hashAt, blockSize, tmp, vData)
			VINSERTI128(Imm(1), xs[vData], ys[vTmp2], ys[vData])
		})
		endCipher("last", nil)
		Label("pairsDone")
		// The tag stays as it is: bytes behind the payload are stored as they were loaded.
		VPXOR(xs[vTmp], xs[vSum], xs[vSum])
		VPXOR(Mem{Base: at, Index: left, Scale: 1}, xs[vSum], xs[vSum])
		VPTEST(xs[vSum], xs[vSum])
		SETEQ(Mem{Base: packet, Disp: packetAuthentic})
		TESTQ(left, left)
		JZ(LabelRef("done"))
		CMPQ(left, Imm(blockSize))
		JBE(LabelRef("part"))
		VPXOR(Mem{Base: at}, xs[0], xs[vData])
		VMOVDQU(xs[vData], Mem{Base: at})
		VEXTRACTI128(Imm(1), ys[0], xs[0])
		ADDQ(Imm(blockSize), at)
		SUBQ(Imm(blockSize), left)
		Label("part")
		partMask(left, vData)
		VPAND(xs[0], xs[vData], xs[vData])
		VPXOR(Mem{Base: at}, xs[vData], xs[vData])
		VMOVDQU(xs[vData], Mem{Base: at})
		Label("done")
	})
}
