package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	. "github.com/mmcloughlin/avo/build"
)

// GHASH is computed as POLYVAL (RFC 8452, Appendix A): blocks are byte-reversed, so that
// carry-less products need no shift, and the product of two elements is divided by x^128,
// so that what is to be reduced is the lower half.
//
// Several blocks are multiplied by as many powers of H, and the sum of the products is
// reduced once. A product is made of three multiplications of halves (Karatsuba).
type ghash struct {
	w             width
	sum           int // so far; in its lowest block
	low, mid, top int // of the products; low may be sum
	data          int
	tmp, tmp2     int
}

// add multiplies the blocks in g.data by the powers of H at an address and adds them to
// the products. The first blocks take the sum along.
func (g ghash) add(powers, sums Mem, first bool) {
	w := g.w
	if first {
		w.xor(g.sum, g.data)
	}
	w.swapHalves(g.data, g.tmp2)
	w.xor(g.data, g.tmp2)
	// The multiplications stand together: Zen 3 takes a cycle or so to come from one to
	// anything else and back.
	low, mid, top := g.tmp, g.tmp2, g.data
	if first {
		low, mid, top = g.low, g.mid, g.top
	}
	w.clmul(lowLow, powers, g.data, low)
	w.clmul(highHigh, powers, g.data, top)
	w.clmul(lowLow, sums, g.tmp2, mid)
	if first {
		return
	}
	w.xor(low, g.low)
	w.xor(top, g.top)
	w.xor(mid, g.mid)
}

// reduce makes the sum of the products, in three steps so that others can be between.
func (g ghash) reduce(step int) {
	w := g.w
	switch step {
	case 0:
		w.xor(g.low, g.mid)
		w.clmul(lowLow, polynomial, g.low, g.tmp)
		w.swapHalves(g.low, g.low)
		w.xor(g.top, g.mid)
		w.xor(g.low, g.mid)
		w.xor(g.tmp, g.mid)
	case 1:
		w.clmul(lowLow, polynomial, g.mid, g.tmp)
		w.swapHalves(g.mid, g.mid)
		w.xor(g.mid, g.top)
		w.xor(g.tmp, g.top)
	case 2:
		if w == 1 {
			VMOVDQA(xs[g.top], xs[g.sum])
		} else {
			w.fold(g.top, g.tmp, g.sum)
		}
	}
}

func (g ghash) reduceAll() {
	for step := range 3 {
		g.reduce(step)
	}
}

// batch is the work on a batch of ciphertext at an address, in steps.
func (g ghash) batch(key Register, at Mem) (steps []func()) {
	per := int(g.w)
	for i := 0; i < batchBlocks; i += per {
		steps = append(steps, func() {
			g.w.load(at.Offset(i*blockSize), g.data)
			g.w.reverse(g.data, g.data)
			p := power(batchBlocks - i)
			g.add(Mem{Base: key, Disp: keyPowers + p}, Mem{Base: key, Disp: keySums + p}, i == 0)
		})
	}
	for step := range 3 {
		steps = append(steps, func() { g.reduce(step) })
	}
	return steps
}

// multiply multiplies the sum and the block in g.data, added, by H.
func (g ghash) multiply(key Register) {
	p := power(1)
	g.add(Mem{Base: key, Disp: keyPowers + p}, Mem{Base: key, Disp: keySums + p}, true)
	g.reduceAll()
}
