// Command asm writes the assembly of package gcm.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	describe()
	Generate()
}

// describe says everything to the generator.
func describe() {
	ConstraintExpr("!purego")
	constants()
	seal(direction{"sealAVX2", 2})
	open(direction{"openAVX2", 2})
	seal(direction{"sealAVX512", 4})
	open(direction{"openAVX512", 4})
	expand128()
	expand256()
	hashKeys()
	masks()
	cpuid7()
}
