package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	. "github.com/mmcloughlin/avo/build"
)

const lateRounds = 10

// aes encrypts registers from 0 on, all at a time.
type aes struct {
	w        width
	regs     int
	extra    int // another one, of a single block; negative for none
	roundKey int
	key      Register
	long     int    // from key on; not zero for AES-256 (FIPS 197)
	label    string // to jump over the four rounds more of AES-256
}

// each does something with all registers.
func (a aes) each(do func(w width, i int)) {
	for i := range a.regs {
		do(a.w, i)
	}
	if a.extra >= 0 {
		do(1, a.extra)
	}
}

// counters makes the counter blocks of the registers, with round key 0 added. base is such a
// block whose counter is a multiple of a batch's blocks, count, and goes on by a batch when
// they are as many.
func (a aes) counters(base int, count, tmp GPPhysical) {
	size := a.w.size()
	for i := range a.regs {
		from := base
		if (i+1)*int(a.w) == batchBlocks {
			// The last two blocks have the counters of the next batch.
			if a.w == 4 {
				VMOVDQA64(zs[base], zs[i])
			}
			a.nextCounters(base, count, tmp)
			if a.w == 4 {
				VINSERTI64X4(Imm(1), ys[base], zs[i], zs[i])
				from = i
			}
		}
		a.w.xorOf(counters.Offset(i*size), from, i)
	}
}

// nextCounters moves base and count on by a batch.
func (a aes) nextCounters(base int, count, tmp GPPhysical) {
	const change = vData
	MOVL(count.As32(), tmp.As32())
	ADDL(Imm(batchBlocks), count.As32())
	XORL(count.As32(), tmp.As32())
	BSWAPL(tmp.As32())
	VMOVD(tmp.As32(), xs[change])
	VPSLLDQ(Imm(12), xs[change], xs[change])
	a.w.spread(change)
	a.w.xor(change, base)
}

// whiten adds round key 0.
func (a aes) whiten() {
	a.w.broadcast(Mem{Base: a.key, Disp: keyFirst}, a.roundKey)
	a.each(func(w width, i int) { w.xor(a.roundKey, i) })
}

// rounds encrypts what is whitened, but for the last round. Between the rounds go steps of
// other work.
func (a aes) rounds(steps []func()) {
	CMPQ(Mem{Base: a.key, Disp: a.long}, Imm(0))
	JE(LabelRef(a.label))
	for r := range 4 {
		a.round(keyEarly + r*blockSize)
	}
	Label(a.label)
	for r := range lateRounds - 1 {
		a.round(keyLate + r*blockSize)
		if len(steps) > 0 {
			steps[0]()
			steps = steps[1:]
		}
	}
	for _, step := range steps {
		step()
	}
}

func (a aes) round(at int) {
	a.w.broadcast(Mem{Base: a.key, Disp: at}, a.roundKey)
	a.each(func(w width, i int) { VAESENC(w.reg(a.roundKey), w.reg(i), w.reg(i)) })
}

// last is the last round.
func (a aes) last() {
	a.w.broadcast(Mem{Base: a.key, Disp: keyLate + (lateRounds-1)*blockSize}, a.roundKey)
	a.each(func(w width, i int) { VAESENCLAST(w.reg(a.roundKey), w.reg(i), w.reg(i)) })
}

// lastWith is the last round, with what lies at an address added, in place.
func (a aes) lastWith(at Register, tmps ...int) {
	a.w.broadcast(Mem{Base: a.key, Disp: keyLate + (lateRounds-1)*blockSize}, a.roundKey)
	for i := range a.regs {
		m := Mem{Base: at, Disp: i * a.w.size()}
		tmp := tmps[i%len(tmps)]
		a.w.xorOf(m, a.roundKey, tmp)
		VAESENCLAST(a.w.reg(tmp), a.w.reg(i), a.w.reg(i))
		a.w.store(i, m)
	}
}
