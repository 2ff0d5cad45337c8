package main

import (
	. "github.com/mmcloughlin/avo/operand"

	. "github.com/mmcloughlin/avo/build"
)

// seal encrypts packets and puts the tag behind each. While a batch is encrypted, the one
// before it is hashed.
func seal(d direction) {
	d.text(func() {
		g := d.ghash()
		before := Mem{Base: at, Disp: -batchSize}
		CMPQ(left, U32(batchSize))
		JB(LabelRef("end"))
		a := d.aes("late")
		a.counters(vCounter, count, tmp)
		a.rounds(nil)
		a.lastWith(at, vData, vTmp)
		next()
		Label("batch")
		CMPQ(left, U32(batchSize))
		JB(LabelRef("batchesEnd"))
		a = d.aes("lateOfBatch")
		a.counters(vCounter, count, tmp)
		a.rounds(g.batch(key, before))
		a.lastWith(at, vData, vTmp)
		next()
		JMP(LabelRef("batch"))
		Label("batchesEnd")
		planEnds()
		endCipher("last", g.batch(key, before))
		Label("end")
		planEnds()
		endCipher("only", nil)
		Label("pairsDone")
		VMOVDQA(xs[vTmp], xs[vTagMask])
		hashPairs()
		hashEnd(left, func() {
			partMask(left, vData)
			VPXOR(Mem{Base: at}, xs[0], xs[0])
			VPAND(xs[0], xs[vData], xs[vData])
			VMOVDQU(xs[vData], Mem{Base: at}) // its rest is where the tag will be
		}, func() {
			VPXOR(Mem{Base: at}, xs[0], xs[vTmp2])
			VMOVDQU(xs[vTmp2], Mem{Base: at})
			VEXTRACTI128(Imm(1), ys[0], xs[0])
			LEAQ(Mem{Base: left, Disp: -blockSize}, tmp)
			partMask(tmp, vData)
			VPXOR(Mem{Base: at, Disp: blockSize}, xs[0], xs[0])
			VPAND(xs[0], xs[vData], xs[vData])
			VMOVDQU(xs[vData], Mem{Base: at, Disp: blockSize})
			VINSERTI128(Imm(1), xs[vData], ys[vTmp2], ys[vData])
		})
		VPXOR(xs[vTagMask], xs[vSum], xs[vSum])
		VMOVDQU(xs[vSum], Mem{Base: at, Index: left, Scale: 1})
	})
}

// next goes on by a batch.
func next() {
	ADDQ(I32(batchSize), at)
	SUBQ(I32(batchSize), left)
}
