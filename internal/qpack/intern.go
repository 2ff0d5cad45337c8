package qpack

import (
	"encoding/binary"
	"math/bits"
)

const (
	// recentSlots is how many strings a decoder remembers: a browser sends
	// about twenty fields that do not change from request to request, most of
	// them with a name and a value outside the static table. A power of two.
	recentSlots = 64
	// recentLongest bounds, in bytes, what is worth remembering, and so the
	// memory of a decoder: a User-Agent fits, a large cookie does not.
	recentLongest = 192
)

// recentStrings maps bytes to strings that were seen before. It is a cache of
// two places for each hash, the newer string first.
type recentStrings struct {
	sets [recentSlots / 2][2]string
}

// intern returns b as a string, the same one as before when it is remembered.
func (r *recentStrings) intern(b []byte) (_ string, again bool) {
	if len(b) == 0 || len(b) > recentLongest {
		return string(b), false
	}
	set := &r.sets[recentHash(b)%uint64(len(r.sets))]
	if set[0] == string(b) {
		return set[0], true
	}
	if set[1] == string(b) {
		return set[1], true
	}
	set[0], set[1] = string(b), set[0]
	return set[0], false
}

// recentHash mixes the length and the first and last eight bytes. Strings made
// to collide gain their sender nothing: they are looked up as fast as others.
func recentHash(b []byte) uint64 {
	var first, last uint64
	if len(b) >= 8 {
		first, last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	} else {
		for _, c := range b {
			first = first<<8 | uint64(c)
		}
	}
	const k1, k2 = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // odd, with bits spread evenly
	hi, lo := bits.Mul64(first^k1^uint64(len(b)), bits.RotateLeft64(last, 29)^k2)
	return hi ^ lo
}

// recentCoded maps Huffman-coded strings to what they stand for, so that what
// repeats need not be decoded again. It is like recentStrings, but for strings that
// have come twice.
type recentCoded struct {
	sets [recentSlots / 2]codedSet
}

type codedSet [2]struct{ coded, text string }

// find returns what coded stands for and no set, or the set to put it into.
func (r *recentCoded) find(coded []byte) (string, *codedSet) {
	set := &r.sets[recentHash(coded)%uint64(len(r.sets))]
	for i := range set {
		if set[i].coded == string(coded) && len(coded) > 0 {
			return set[i].text, nil
		}
	}
	return "", set
}

// put remembers what coded stands for.
func (s *codedSet) put(coded []byte, text string) {
	s[1] = s[0]
	s[0].coded, s[0].text = string(coded), text
}
