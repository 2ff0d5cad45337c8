package engine

import (
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// localIDLen is the length of the connection IDs given out: enough that they
// cannot be guessed (RFC 9000, Section 5.1 wants no linkability).
const localIDLen = 8

// ownID is a connection ID that an endpoint here gave out. There are several for each
// connection, which as ownIDs take a third of the memory.
type ownID [localIDLen]byte

// wire returns the ID in its general form.
func (id ownID) wire() wire.ConnectionID {
	c, _ := wire.NewConnectionID(id[:])
	return c
}

// shortID returns the destination ID of a short header.
func shortID(pkt []byte) (id ownID, ok bool) {
	if len(pkt) < 1+localIDLen {
		return id, false
	}
	return ownID(pkt[1:]), true
}

// newID makes an ID by which c can be reached.
func (e *Endpoint) newID(c *Conn) ownID {
	for {
		id := e.randomOwnID()
		if e.byID[id] == nil && e.byInvented[id.wire()] == nil {
			e.byID[id] = c
			return id
		}
	}
}

// randomOwnID makes an ID that leads to this endpoint and not to one that
// shares the address.
func (e *Endpoint) randomOwnID() (id ownID) {
	e.randomBytes(id[:])
	id[0] = markShard(id[0], e.shard, e.shards)
	return id
}

// removeID ends routing by an ID.
func (e *Endpoint) removeID(id ownID) {
	delete(e.byID, id)
	if e.lastID == id {
		e.last = nil
	}
}

// resetToken returns the stateless reset token that goes with an ID.
func (e *Endpoint) resetToken(id ownID) wire.ResetToken {
	long := id.wire()
	return protect.StatelessResetToken(&e.resetKey, &long)
}
