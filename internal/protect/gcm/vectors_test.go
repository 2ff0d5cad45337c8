//go:build amd64 && !purego

package gcm

import (
	"bytes"
	"testing"
)

// The vectors of The Galois/Counter Mode of Operation (GCM) by McGrew and Viega, Appendix B,
// that have nonces of 96 bits.
const (
	vectorKey   = "feffe9928665731c6d6a8f9467308308"
	vectorIV    = "cafebabefacedbaddecaf888"
	vectorPlain = `d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
		1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255`
	vectorAAD    = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
	vectorZeros  = "00000000000000000000000000000000"
	vectorZeroIV = "000000000000000000000000"
	vectorText4  = `42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
		21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091`
	vectorText16 = `522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
		8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662`
)

func TestVectors(t *testing.T) {
	need(t)
	for name, v := range map[string]struct {
		key, iv, aad string
		size         int // of the plaintext used
		plain        string
		text, tag    string
	}{
		"1":  {vectorZeros, vectorZeroIV, "", 0, "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
		"2":  {vectorZeros, vectorZeroIV, "", 16, vectorZeros, "0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf"},
		"3":  {vectorKey, vectorIV, "", 64, vectorPlain, vectorText4 + "473f5985", "4d5c2af327cd64a62cf35abd2ba6fab4"},
		"4":  {vectorKey, vectorIV, vectorAAD, 60, vectorPlain, vectorText4, "5bc94fbc3221a5db94fae95ae7121a47"},
		"13": {vectorZeros + vectorZeros, vectorZeroIV, "", 0, "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		"14": {vectorZeros + vectorZeros, vectorZeroIV, "", 16, vectorZeros, "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
		"15": {vectorKey + vectorKey, vectorIV, "", 64, vectorPlain, vectorText16 + "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
		"16": {vectorKey + vectorKey, vectorIV, vectorAAD, 60, vectorPlain, vectorText16, "76fc6ece0f4e1768cddf8853bb2d551b"},
	} {
		k := NewKey(unhex(t, v.key), (*[IVSize]byte)(unhex(t, v.iv)))
		plain := append(unhex(t, v.aad), unhex(t, v.plain)[:v.size]...)
		want := unhex(t, v.aad+v.text+v.tag)
		packet := Packet{Header: len(v.aad) / 2, End: len(want)}
		for _, im := range implementations {
			b := append(bytes.Clone(plain), make([]byte, TagSize)...)
			if im.seal(k, &b[0], &packet, 1); !bytes.Equal(b, want) {
				t.Errorf("case %s, %s: sealed as %x, want %x", name, im.name, b, want)
			}
			if im.open(k, &b[0], &packet, 1); !packet.Authentic || !bytes.Equal(b[:len(plain)], plain) {
				t.Errorf("case %s, %s: opened as %x, %v, want %x", name, im.name, b, packet.Authentic, plain)
			}
		}
	}
}
