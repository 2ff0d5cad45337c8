package quic

import "github.com/godwit-quic/godwit/internal/connid"

// ConnectionIDGenerator makes the connection IDs that a transport gives out (RFC 9000,
// Section 5.1): its own layout, such as that of a load balancer which reads in them what
// server a packet is for. Several event loops use it at the same time, so its methods may
// be called by any goroutine; they must not block.
//
// Where a transport has several loops, an ID has to say for which of them it is, its
// shard. If it does so as RandomConnectionIDs does, the kernel gives each loop its
// datagrams. The kernel cannot read other layouts: it then goes by a hash of the
// addresses, and a loop that gets another's datagram hands it over, which costs a copy
// and Shard once.
type ConnectionIDGenerator interface {
	// Len returns how many bytes an ID has that begins with the byte first, from 0 to
	// 20: short headers do not say it. IDs of several lengths may be in use, as while a
	// load balancer changes its configuration. If it is 0 for one first byte, it must
	// be for all.
	//
	// Empty IDs save bytes of each packet, and are for clients: a packet's addresses
	// alone say where it belongs, so that a Transport has one loop, one connection at a
	// time, and no Listener, and the peer cannot be moved to a new ID.
	Len(first byte) int
	// New appends an ID to dst, of the length that Len says, for the event loop shard,
	// from 0 to shards-1.
	// random fills a slice with bytes that nobody can foretell. IDs should not tell that
	// they belong to the same connection, and be hard to guess: with less than about
	// four bytes, a busy transport finds none that is free, and refuses connections. An
	// ID that is in use already is made again.
	New(dst []byte, shard, shards int, random func([]byte)) []byte
	// Shard returns the event loop, from 0 to shards-1, that New made an ID for. It is
	// called with other bytes too, such as the ID that a client invents for its first
	// packets: ok is false if they say nothing. For the same bytes the answer must be
	// the same. Where servers share keys of stateless resets, ok must be false for the IDs
	// of others: no reset answers packets to such IDs (RFC 9000, Section 21.11).
	Shard(id []byte, shards int) (shard int, ok bool)
}

// RandomConnectionIDs returns a generator of IDs of length random bytes, from 0 to 20. The
// byte at shardAt, from 0 to length-1, says the event loop, modulo the number of loops; with
// length 0 it is of no concern. A TransportConfig with other values is refused. The default
// is RandomConnectionIDs(8, 0).
func RandomConnectionIDs(length, shardAt int) ConnectionIDGenerator {
	return connid.Plain{Length: length, ShardAt: shardAt}
}
