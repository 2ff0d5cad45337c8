package main

// Where the fields of the Go package's types lie, in bytes; a test there compares.
const (
	keyFirst  = 0   // round key 0
	keyEarly  = 16  // round keys 1 to 4 of AES-256
	keyLate   = 80  // the last ten round keys
	keyPowers = 240 // H^17 to H^1
	keyIV     = 512 // with a counter of zero, and with round key 0 added
	keySums   = 528 // of the two halves of each power
	keyLong   = 800 // not zero for AES-256
	keySize   = 816

	masksLong = 240 // not zero for AES-256

	maxPower = 17

	packetStart     = 0
	packetHeader    = 8
	packetEnd       = 16
	packetNumber    = 24
	packetAuthentic = 32
	packetSize      = 40
)

// A batch is what is encrypted at a time.
const (
	blockSize   = 16
	batchBlocks = 16
	batchSize   = batchBlocks * blockSize
)

// power returns where H^n lies from the beginning of the powers, and a sum from that of
// the sums.
func power(n int) int { return (maxPower - n) * blockSize }
