package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"

	. "github.com/mmcloughlin/avo/build"
)

// The constants, in as many copies as the widest register holds.
var reversal, polynomial, counters, one, partial, double Mem

func constants() {
	reversal = constant("reversal", 4, 0x08090a0b0c0d0e0f, 0x0001020304050607)
	// x^127 + x^126 + x^121 of x^128 + x^127 + x^126 + x^121 + 1, the polynomial of
	// POLYVAL (RFC 8452, Section 3).
	polynomial = constant("polynomial", 4, 0xc200000000000000, 0)
	counters = counterTable()
	one = constant("one", 1, 0, counterWord(1))
	double = constant("double", 1, 1, 0xc200000000000000)
	// Read from 16-n on: the mask of n bytes.
	partial = constant("partial", 1, ^uint64(0), ^uint64(0), 0, 0)
}

func constant(name string, copies int, words ...uint64) Mem {
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	at := 0
	for range copies {
		for _, word := range words {
			DATA(at, U64(word))
			at += 8
		}
	}
	return m
}

// counterTable has the low parts of a batch's counters, which are from 2 to 15, and then 0
// and 1 of what follows: a packet's first counter is 2, as 1 is the tag's (SP 800-38D,
// Section 7.1).
func counterTable() Mem {
	var words []uint64
	for i := range batchBlocks {
		words = append(words, 0, counterWord((firstCounter+i)%batchBlocks))
	}
	return constant("counters", 1, words...)
}

// firstCounter is the counter of the first block of a payload.
const firstCounter = 2

// counterWord is the second half of a block with a small counter, which is big-endian.
func counterWord(counter int) uint64 { return uint64(counter) << 56 }
