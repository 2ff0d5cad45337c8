package connid

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/wire"
)

// MaxShards is how many event loops may share an address.
const MaxShards = 64

// Generator makes the connection IDs of an endpoint. Several loops use it at the same
// time.
type Generator interface {
	// Len returns how many bytes an ID has that begins with first, from 0 to 20: short
	// headers do not say it (RFC 9000, Section 5.2). So IDs of several lengths may be in
	// use, as while a load balancer changes its configuration. If it is 0 for one first
	// byte, it must be for all.
	Len(first byte) int
	// New appends an ID to dst, of the length that Len says. It is for shard of so many.
	// random fills a slice with bytes that nobody can foretell. IDs should differ from
	// each other, and not tell that they belong to the same connection (RFC 9000,
	// Section 5.1). One that is in use already is made again.
	New(dst []byte, shard, shards int, random func([]byte)) []byte
	// Shard returns for which of so many shards New made an ID. It is asked about any
	// bytes, such as an ID that a client has invented, which stays where it is if ok is
	// false, and no stateless reset answers it; for the same bytes it says the same.
	Shard(id []byte, shards int) (shard int, ok bool)
}

// Plain makes IDs of random bytes, of which one says the shard: modulo their number.
type Plain struct {
	Length  int // in bytes, from 0 to 20
	ShardAt int // which byte, below Length
}

// DefaultLength is the length of IDs where nothing else is asked for: enough that they
// cannot be guessed.
const DefaultLength = 8

// Default is the generator where none is given.
var Default Generator = Plain{Length: DefaultLength}

// Len implements Generator.
func (p Plain) Len(byte) int { return p.Length }

// New implements Generator.
func (p Plain) New(dst []byte, shard, shards int, random func([]byte)) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, p.Length)...)
	if p.Length > 0 {
		random(dst[at:])
		dst[at+p.ShardAt] = mark(dst[at+p.ShardAt], shard, shards)
	}
	return dst
}

// mark makes a byte one of shard.
func mark(b byte, shard, shards int) byte {
	marked := int(b) - int(b)%shards + shard
	if marked > 0xff {
		marked -= shards
	}
	return byte(marked)
}

// Shard implements Generator. An ID that is too short for the byte goes by its last one.
func (p Plain) Shard(id []byte, shards int) (int, bool) {
	if len(id) == 0 {
		return 0, true
	}
	return int(id[min(p.ShardAt, len(id)-1)]) % shards, true
}

// ShardByte implements ByteSharded.
func (p Plain) ShardByte() int { return p.ShardAt }

// Check returns an error that says what is wrong with a generator that serves so many
// shards.
func Check(g Generator, shards int) error {
	empty := g.Len(0) == 0
	for first := range 256 {
		switch n := g.Len(byte(first)); {
		case n < 0 || n > wire.MaxConnectionIDLen:
			return fmt.Errorf("connection IDs of %d bytes, not between 0 and %d", n, wire.MaxConnectionIDLen)
		case (n == 0) != empty:
			return fmt.Errorf("some connection IDs are empty and others are not")
		}
	}
	if p, ok := g.(Plain); ok && !empty && (p.ShardAt < 0 || p.ShardAt >= p.Length) {
		return fmt.Errorf("byte %d of connection IDs says the shard, of %d bytes", p.ShardAt, p.Length)
	}
	if empty && shards > 1 {
		// They would all have the same ID.
		return fmt.Errorf("empty connection IDs lead to one event loop, not to %d", shards)
	}
	return nil
}

// Empty reports whether a generator's IDs have no bytes.
func Empty(g Generator) bool { return g.Len(0) == 0 }
