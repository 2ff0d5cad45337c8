package qpack

import "hash/maphash"

// hashSeed is that of all tables, so that a name is hashed once for each field.
// It differs from process to process: peers that choose strings cannot make
// them collide.
var hashSeed = maphash.MakeSeed()

// nameHash is the hash that the tables have for a field's name.
func nameHash(name string) uint32 { return uint32(maphash.String(hashSeed, name)) }

// fieldHash is the hash that dynamic tables have for a field, given its name's.
func fieldHash(ofName uint32, value string) uint32 {
	const odd = 0x9e3779b1
	return ofName*odd ^ uint32(maphash.String(hashSeed, value))
}
