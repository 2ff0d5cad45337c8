package engine

import (
	"iter"

	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// peerIDs are the peer's connection IDs: those that paths use, and the spare ones.
// Several paths may share one, which is then named several times.
func (c *Conn) peerIDs() iter.Seq[*path.PeerID] {
	return func(yield func(*path.PeerID) bool) {
		for p := range c.paths.All() {
			if p.HasPeer() && !yield(&p.Peer) {
				return
			}
		}
		for i := range c.ids.spare {
			if !yield(&c.ids.spare[i]) {
				return
			}
		}
	}
}

// countPeerIDs returns how many of the peer's IDs are kept.
func (c *Conn) countPeerIDs() int {
	n := len(c.ids.spare)
	for p := range c.paths.All() {
		if p.HasPeer() && c.userOf(p.Peer.Seq) == p {
			n++
		}
	}
	return n
}

// userOf returns the first path that uses the peer's ID with this number, nil for none.
func (c *Conn) userOf(seq uint64) *path.Path {
	for p := range c.paths.All() {
		if p.HasPeer() && p.Peer.Seq == seq {
			return p
		}
	}
	return nil
}

// givePeerID gives a path an ID that no other has used, so that the paths cannot be
// linked (RFC 9000, Section 9.5). Without a spare one a server's shares the ID of the path
// in use, or of another one, as that section allows for a peer that moved without asking;
// a client's, which moves by itself, gets none, but for the one in use.
func (c *Conn) givePeerID(p *path.Path) {
	if p.HasPeer() {
		return
	}
	if spare := c.ids.spare; len(spare) > 0 {
		p.Peer = spare[0]
		c.ids.spare = append(spare[:0], spare[1:]...)
		c.watchReset(&p.Peer)
		return
	}
	from := c.paths.Current
	if c.side == wire.ClientSide && p != from {
		return
	}
	for q := range c.paths.All() {
		if !from.HasPeer() {
			from = q
		}
	}
	p.Peer = from.Peer
}

// seenSeqs remembers which of the peer's IDs came, by their sequence numbers: one that
// was used and retired must not come back by a repeated frame (RFC 9000,
// Section 5.1.2). Numbers rise by one, so that only the last ones can be out of order.
type seenSeqs struct {
	top   uint64 // the largest
	below uint64 // bit i: top-1-i came as well
}

// add notes a number, and reports whether it is new. One that is too far below to tell
// counts as known.
func (s *seenSeqs) add(seq uint64) bool {
	if seq > s.top {
		n := seq - s.top
		s.below = s.below<<n | 1<<(n-1)
		s.top = seq
		return true
	}
	n := s.top - seq
	if n == 0 || n > 64 || s.below>>(n-1)&1 != 0 {
		return false
	}
	s.below |= 1 << (n - 1)
	return true
}

// watchReset has the endpoint know an ID's stateless reset: only packets to IDs in use
// can provoke one (RFC 9000, Section 10.3.1).
func (c *Conn) watchReset(r *path.PeerID) {
	if r.HasToken {
		c.ids.changes++
		c.endpoint.addResetToken(c, r.Token)
	}
}

// releasePeerID takes a path's ID away, and retires it if no other path shares it.
func (c *Conn) releasePeerID(p *path.Path) {
	if !p.HasPeer() {
		return
	}
	old := p.Peer
	p.DropPeer()
	if c.userOf(old.Seq) != nil {
		return
	}
	if old.HasToken {
		c.ids.changes++
		c.endpoint.removeResetToken(c, old.Token)
	}
	c.ids.retire(old.Seq)
}

// retirePeerIDs drops the IDs that the peer wants retired, and gives the path in use
// another one (RFC 9000, Section 5.1.2); other paths get theirs when they need it.
func (c *Conn) retirePeerIDs() {
	ids := &c.ids
	for p := range c.paths.All() {
		if p.HasPeer() && p.Peer.Seq < ids.priorTo {
			c.releasePeerID(p)
		}
	}
	kept := ids.spare[:0]
	for _, r := range ids.spare {
		if r.Seq >= ids.priorTo {
			kept = append(kept, r)
		} else {
			ids.retire(r.Seq)
		}
	}
	ids.spare = kept
	c.givePeerID(c.paths.Current)
}
