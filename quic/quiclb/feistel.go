package quiclb

import (
	"crypto/aes"
	"crypto/cipher"
)

// fourPasses encrypts up to 19 bytes, or decrypts them: a Feistel network of four rounds
// whose function is AES, over two halves that share the middle byte where the length is odd,
// four bits each (General Case: Four-Pass Encryption).
func fourPasses(block cipher.Block, b []byte, decrypt bool) {
	n := len(b)
	half := (n + 1) / 2
	odd := n%2 == 1
	var left, right [aes.BlockSize]byte
	copy(left[:], b[:half])
	copy(right[:], b[n-half:])
	if odd {
		left[half-1] &= 0xf0
		right[0] &= 0x0f
	}
	for i := range byte(4) {
		pass := i + 1
		if decrypt {
			pass = 4 - i
		}
		from, to := &left, &right // odd passes change the right half
		if pass%2 == 0 {
			from, to = &right, &left
		}
		input := *from
		input[14], input[15] = byte(n), pass
		var mask [aes.BlockSize]byte
		block.Encrypt(mask[:], input[:])
		for j := range half {
			to[j] ^= mask[j]
		}
		if odd {
			left[half-1] &= 0xf0
			right[0] &= 0x0f
		}
	}
	copy(b, left[:half])
	if odd {
		right[0] |= left[half-1]
	}
	copy(b[n-half:], right[:half])
}
