package engine

import (
	"encoding/binary"
	"errors"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Errors of Endpoint.Dial.
var (
	// ErrOneConnection: with empty connection IDs, a packet's addresses alone say to
	// which connection it belongs (RFC 9000, Section 5.1), so that there is one.
	ErrOneConnection = errors.New("empty connection IDs allow one connection at a time")
	// ErrNoID: connection IDs are so short that no unused one was found.
	ErrNoID = errors.New("no connection ID is free: they are too short for so many connections")
)

// idKey is a hash of a connection ID: a key of eight bytes for IDs of up to twenty.
// No two local IDs in use have the same one; others may, so that whoever has found a
// connection compares the ID.
type idKey uint64

func keyOf(id []byte) idKey {
	const odd = 0x9e3779b97f4a7c15 // of the golden ratio, to spread the bits
	h := uint64(len(id))
	for ; len(id) >= 8; id = id[8:] {
		h = (h ^ binary.LittleEndian.Uint64(id)) * odd
		h ^= h >> 32
	}
	for _, b := range id {
		h = (h ^ uint64(b)) * odd
	}
	return idKey(h ^ h>>32)
}

// byLocalID returns the connection that has a local ID, or nil.
func (e *Endpoint) byLocalID(id []byte) *Conn {
	if e.last != nil && string(e.lastID.Bytes()) == string(id) {
		return e.last
	}
	c := e.byID[keyOf(id)]
	if c == nil || !c.ids.hasLocal(id) {
		return nil
	}
	e.last = c
	e.lastID, _ = wire.NewConnectionID(id)
	return c
}

// hasLocal reports whether an ID is one by which the peer may reach the connection.
func (ids *connIDs) hasLocal(id []byte) bool {
	for i := range ids.local {
		if string(ids.local[i].id.Bytes()) == string(id) {
			return true
		}
	}
	return false
}

// maxIDTries is how many IDs are made to find one that is not in use: those of eight
// bytes never are, and of shorter ones the most shall be found.
const maxIDTries = 1000

// newID makes an ID by which c can be reached. ok is false if none is free.
func (e *Endpoint) newID(c *Conn) (id wire.ConnectionID, ok bool) {
	for range maxIDTries {
		id = e.randomLocalID()
		if key := keyOf(id.Bytes()); e.byID[key] == nil && e.byOriginal[id] == nil {
			e.byID[key] = c
			return id, true
		}
		if id.Len() == 0 {
			break
		}
	}
	return id, false
}

// randomLocalID makes an ID that leads to this endpoint and not to one that shares the
// address.
func (e *Endpoint) randomLocalID() wire.ConnectionID {
	id, _ := wire.NewConnectionID(e.ids.New(e.idRoom[:0], e.shard, e.shards, e.random))
	return id
}

// removeID ends routing by an ID.
func (e *Endpoint) removeID(id *wire.ConnectionID) {
	delete(e.byID, keyOf(id.Bytes()))
	if e.lastID == *id {
		e.last = nil
	}
}

// Knows reports whether a datagram is for a connection of the endpoint, by its ID, or as it
// ends with a token of a stateless reset.
func (e *Endpoint) Knows(datagram []byte) bool {
	return e.lookup(connid.Of(e.ids, datagram)) != nil || e.byToken(datagram) != nil
}

// Owner returns the connection that a datagram is for by its ID, nil if there is none:
// nothing is decrypted.
func (e *Endpoint) Owner(datagram []byte) *Conn {
	c := e.lookup(connid.Of(e.ids, datagram))
	if c == &e.confirmed {
		return nil
	}
	return c
}

// shortID returns the destination ID of a packet with a short header.
func (e *Endpoint) shortID(pkt []byte) (id wire.ConnectionID, ok bool) {
	n := connid.ShortLen(e.ids, pkt)
	if len(pkt) < 1+n {
		return id, false
	}
	return wire.NewConnectionID(pkt[1:][:n])
}

// resetToken returns the stateless reset token that goes with an ID.
func (e *Endpoint) resetToken(id *wire.ConnectionID) wire.ResetToken {
	return protect.StatelessResetToken(&e.resets[0], id)
}
