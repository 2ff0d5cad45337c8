package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	. "github.com/mmcloughlin/avo/build"
)

// width is how many blocks a register holds: 1 in X, 2 in Y, 4 in Z.
type width int

var (
	xs = []VecPhysical{X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15}
	ys = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	zs = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15}
)

// reg returns register i in this width.
func (w width) reg(i int) VecPhysical {
	switch w {
	case 1:
		return xs[i]
	case 2:
		return ys[i]
	}
	return zs[i]
}

func (w width) size() int { return int(w) * blockSize }

// load reads a register, aligned or not.
func (w width) load(m Mem, to int) {
	if w == 4 {
		VMOVDQU64(m, w.reg(to))
	} else {
		VMOVDQU(m, w.reg(to))
	}
}

func (w width) store(from int, m Mem) {
	if w == 4 {
		VMOVDQU64(w.reg(from), m)
	} else {
		VMOVDQU(w.reg(from), m)
	}
}

// broadcast puts the same block into all of a register.
func (w width) broadcast(m Mem, to int) {
	switch w {
	case 1:
		VMOVDQU(m, xs[to])
	case 2:
		VBROADCASTI128(m, ys[to])
	default:
		VBROADCASTI32X4(m, zs[to])
	}
}

// spread puts the lowest block of a register into all of it.
func (w width) spread(i int) {
	switch w {
	case 2:
		VINSERTI128(Imm(1), xs[i], ys[i], ys[i])
	case 4:
		VSHUFI32X4(Imm(0), zs[i], zs[i], zs[i])
	}
}

// xor adds a register to another one.
func (w width) xor(from, to int) { w.xorOf(w.reg(from), to, to) }

// xorOf puts the sum of a register or memory and a register into another one.
func (w width) xorOf(from Op, with, to int) {
	if w == 4 {
		VPXORQ(from, w.reg(with), w.reg(to))
	} else {
		VPXOR(from, w.reg(with), w.reg(to))
	}
}

func (w width) zero(i int) { VPXOR(xs[i], xs[i], xs[i]) }

// swapHalves exchanges the halves of each block.
func (w width) swapHalves(from, to int) { VPSHUFD(Imm(0x4e), w.reg(from), w.reg(to)) }

// reverse reverses the bytes of each block.
func (w width) reverse(from, to int) { VPSHUFB(reversal, w.reg(from), w.reg(to)) }

// The products of halves that clmul makes.
const (
	lowLow   = 0x00
	highHigh = 0x11
)

// clmul multiplies a half of each block without carries (VPCLMULQDQ).
func (w width) clmul(halves uint8, a Op, b, to int) {
	VPCLMULQDQ(Imm(uint64(halves)), a, w.reg(b), w.reg(to))
}

// fold adds the blocks of a register up into the lowest one of another.
func (w width) fold(from, tmp, to int) {
	if w == 4 {
		VEXTRACTI64X4(Imm(1), zs[from], ys[tmp])
		VPXOR(ys[tmp], ys[from], ys[from])
	}
	if w >= 2 {
		VEXTRACTI128(Imm(1), ys[from], xs[tmp])
		VPXOR(xs[tmp], xs[from], xs[to])
	}
}
