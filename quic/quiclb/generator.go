package quiclb

// generator is a quic.ConnectionIDGenerator. The first byte of the nonce says the event loop,
// modulo the number of loops, and the others are random. Nonces must not be used twice with a
// key (Connection ID Entropy): an ID that is in use is made again, and which were in use
// before is left to chance, so that nothing has to be remembered over a restart.
type generator struct {
	layout   *layout
	serverID []byte
	older    []*generator
}

// of returns the generator of a configuration, nil if there is none.
func (g *generator) of(id uint8) *generator {
	if g.layout.ID == id {
		return g
	}
	for _, o := range g.older {
		if o.layout.ID == id {
			return o
		}
	}
	return nil
}

// Len implements quic.ConnectionIDGenerator.
func (g *generator) Len(first byte) int {
	if of := g.of(first >> configBits); of != nil {
		return 1 + of.layout.plain
	}
	return 1 + g.layout.plain
}

// New implements quic.ConnectionIDGenerator.
func (g *generator) New(dst []byte, shard, shards int, random func([]byte)) []byte {
	l := g.layout
	at := len(dst)
	dst = append(dst, make([]byte, 1+l.plain)...)
	id := dst[at:]
	random(id)
	if l.EncodeLength {
		id[0] = byte(l.plain)
	}
	id[0] = l.ID<<configBits | id[0]&lengthMask
	copy(id[1:], g.serverID)
	nonce := id[1+l.ServerIDLen:]
	nonce[0] = inShard(nonce[0], shard, shards)
	l.seal(id[1:])
	return dst
}

// inShard makes a byte one of a shard.
func inShard(b byte, shard, shards int) byte {
	n := int(b) - int(b)%shards + shard
	if n > 0xff {
		n -= shards
	}
	return byte(n)
}

// Shard implements quic.ConnectionIDGenerator.
func (g *generator) Shard(id []byte, shards int) (int, bool) {
	if len(id) == 0 {
		return 0, false
	}
	of := g.of(id[0] >> configBits)
	if of == nil {
		return 0, false
	}
	plain, ok := of.layout.read(id)
	if !ok || string(plain[:of.layout.ServerIDLen]) != string(of.serverID) {
		return 0, false // another server's, or what a client has invented
	}
	return int(plain[of.layout.ServerIDLen]) % shards, true
}
