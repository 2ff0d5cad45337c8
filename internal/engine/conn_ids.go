package engine

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Bounds on connection IDs (RFC 9000, Section 5.1).
const (
	// maxPeerIDs is our active_connection_id_limit: how many of the peer's
	// IDs are kept, enough for a few changes of path.
	maxPeerIDs = 4
	// maxLocalIDs bounds the IDs given to a peer that would take more.
	maxLocalIDs = 4
	// maxRetiring bounds the RETIRE_CONNECTION_ID frames waiting to be
	// acknowledged. A peer that makes us retire IDs faster than it
	// acknowledges their retirement is attacking (Section 5.1.2 allows the
	// error).
	maxRetiring = 3 * maxPeerIDs
)

// localID is an ID the peer may send to.
type localID struct {
	seq  uint64
	id   wire.ConnectionID
	sent sentVal // its NEW_CONNECTION_ID
}

// retiringID is an ID of the peer whose retirement it must learn of.
type retiringID struct {
	seq  uint64
	sent sentVal
}

// connIDs keeps both sides' connection IDs, but for those of the peer that paths use.
type connIDs struct {
	local     []localID
	nextSeq   uint64
	told      uint64        // the peer was sent the local IDs below this number
	spare     []path.PeerID // ascending
	seen      seenSeqs      // of the peer's IDs
	retiring  []retiringID
	priorTo   uint64 // the peer's largest Retire Prior To
	stay      bool   // the peer wants this side to stay at its address: see Conn.mayMove
	announced bool   // something in local or retiring is unsent
	changes   uint32 // of local, and of the reset tokens that are watched: see Conn.Routes
}

// init takes our ID in the first packet. There will be as many as allowed, of both
// sides, in most cases.
func (ids *connIDs) init(local wire.ConnectionID) {
	ids.spare = make([]path.PeerID, 0, maxPeerIDs-1)
	ids.local = append(make([]localID, 0, maxLocalIDs), localID{id: local, sent: valReceived})
	ids.nextSeq = 1
}

// issue gives the peer as many IDs as it wants, within our bound.
func (ids *connIDs) issue(c *Conn) {
	if ids.local[0].id.Len() == 0 {
		return // Section 5.1.1: there are no others, then
	}
	for len(ids.local) < int(c.peer.connIDLimit) {
		id, ok := c.endpoint.newID(c)
		if !ok {
			return // the peer keeps those that it has
		}
		ids.local = append(ids.local, localID{seq: ids.nextSeq, id: id, sent: valUnsent})
		ids.nextSeq++
		ids.changes++
		ids.announced = true
	}
}

// issuePreferred makes the ID that goes with a server's preferred address, which has number 1
// (RFC 9000, Section 5.1.1). The transport parameters take it to the client.
func (ids *connIDs) issuePreferred(c *Conn) (id wire.ConnectionID, ok bool) {
	for _, l := range ids.local {
		if l.seq == 1 {
			return l.id, true // the parameters were made before, for another attempt at the handshake
		}
	}
	if id, ok = c.endpoint.newID(c); ok {
		ids.local = append(ids.local, localID{seq: 1, id: id, sent: valReceived})
		ids.nextSeq, ids.told = 2, 2
		ids.changes++
	}
	return id, ok
}

// Routes returns what leads to the connection: its connection IDs, and the tokens of resets
// that may end it.
func (c *Conn) Routes() (ids []wire.ConnectionID, tokens []wire.ResetToken) {
	for i := range c.ids.local {
		ids = append(ids, c.ids.local[i].id)
	}
	for p := range c.paths.All() {
		if p.HasPeer() && p.Peer.HasToken {
			tokens = append(tokens, p.Peer.Token)
		}
	}
	return ids, tokens
}

// RoutesChanges is a number that is another one whenever Routes returns something else.
func (c *Conn) RoutesChanges() uint32 { return c.ids.changes }

// handleRetire takes a RETIRE_CONNECTION_ID frame (RFC 9000, Section 19.16).
func (ids *connIDs) handleRetire(c *Conn, seq uint64, dst *wire.ConnectionID) *TransportError {
	if ids.local[0].id.Len() == 0 {
		return protocolError(wire.ProtocolViolation, wire.FrameRetireConnectionID, "retires an empty connection ID")
	}
	if seq >= max(ids.told, 1) {
		return protocolError(wire.ProtocolViolation, wire.FrameRetireConnectionID, "retires a connection ID that was never sent")
	}
	for i := range ids.local {
		if ids.local[i].seq != seq {
			continue
		}
		if ids.local[i].id == *dst {
			return protocolError(wire.ProtocolViolation, wire.FrameRetireConnectionID, "retires the connection ID it was sent to")
		}
		c.endpoint.removeID(&ids.local[i].id)
		ids.local = append(ids.local[:i], ids.local[i+1:]...)
		ids.changes++
		ids.issue(c)
		break
	}
	return nil
}

// handleNew takes a NEW_CONNECTION_ID frame (RFC 9000, Section 19.15).
func (ids *connIDs) handleNew(c *Conn, f *wire.NewConnectionIDFrame) *TransportError {
	if c.paths.Current.Peer.ID.Len() == 0 {
		return protocolError(wire.ProtocolViolation, wire.FrameNewConnectionID, "the peer uses an empty connection ID")
	}
	for r := range c.peerIDs() {
		if (r.Seq == f.Seq) != (r.ID == f.ID) {
			return protocolError(wire.ProtocolViolation, wire.FrameNewConnectionID, "connection ID and sequence number do not agree with an earlier frame")
		} else if r.Seq == f.Seq {
			return nil
		}
	}
	if !ids.seen.add(f.Seq) {
		return nil // used up before
	}
	ids.priorTo = max(ids.priorTo, f.RetirePriorTo)
	if f.Seq < ids.priorTo {
		ids.retire(f.Seq)
	} else {
		ids.addSpare(path.PeerID{Seq: f.Seq, ID: f.ID, Token: f.Token, HasToken: true})
		if c.side == wire.ClientSide && len(ids.spare) == 1 {
			c.event(EventPaths, nil) // a probe may be waiting for it
		}
	}
	c.retirePeerIDs()
	switch {
	case !c.paths.Current.HasPeer():
		return protocolError(wire.ProtocolViolation, wire.FrameNewConnectionID, "no connection ID is left")
	case c.countPeerIDs() > maxPeerIDs:
		return protocolError(wire.ConnectionIDLimitError, wire.FrameNewConnectionID, "more connection IDs than allowed")
	case len(ids.retiring) > maxRetiring:
		return protocolError(wire.ConnectionIDLimitError, wire.FrameNewConnectionID, "too many connection IDs to retire")
	}
	return nil
}

// addSpare puts an ID in its place among those not used yet.
func (ids *connIDs) addSpare(r path.PeerID) {
	i := len(ids.spare)
	for i > 0 && ids.spare[i-1].Seq > r.Seq {
		i--
	}
	ids.spare = slices.Insert(ids.spare, i, r)
}

// retire has the peer told that an ID of its is not used any more.
func (ids *connIDs) retire(seq uint64) {
	for i := range ids.retiring {
		if ids.retiring[i].seq == seq {
			return // a repeated frame
		}
	}
	ids.retiring = append(ids.retiring, retiringID{seq: seq, sent: valUnsent})
	ids.announced = true
}

// settleNew takes the fate of a NEW_CONNECTION_ID frame.
func (ids *connIDs) settleNew(seq uint64, pn wire.PacketNumber, f fate) {
	for i := range ids.local {
		if l := &ids.local[i]; l.seq == seq {
			l.sent.settle(pn, f)
			ids.announced = ids.announced || l.sent.due()
		}
	}
}

// settleRetire takes the fate of a RETIRE_CONNECTION_ID frame.
func (ids *connIDs) settleRetire(seq uint64, pn wire.PacketNumber, f fate) {
	for i := range ids.retiring {
		r := &ids.retiring[i]
		if r.seq != seq {
			continue
		}
		r.sent.settle(pn, f)
		if r.sent.received() {
			ids.retiring = append(ids.retiring[:i], ids.retiring[i+1:]...)
			return
		}
		ids.announced = ids.announced || r.sent.due()
	}
}

// append writes the frames about IDs that are due.
func (ids *connIDs) append(c *Conn, w *frameWriter) {
	if !ids.announced {
		return
	}
	for i := range ids.local {
		l := &ids.local[i]
		if !l.sent.due() {
			continue
		}
		if w.room() < maxSizeNewConnectionID {
			return
		}
		w.b = wire.AppendNewConnectionID(w.b, &wire.NewConnectionIDFrame{Seq: l.seq, ID: l.id, Token: c.endpoint.resetToken(&l.id)})
		w.record(recNewConnID, l.seq)
		l.sent.setSent(w.pn)
		ids.told = max(ids.told, l.seq+1)
	}
	for i := range ids.retiring {
		r := &ids.retiring[i]
		if !r.sent.due() {
			continue
		}
		if w.room() < maxSizeVarintFrame {
			return
		}
		w.b = wire.AppendRetireConnectionID(w.b, r.seq)
		w.record(recRetireConnID, r.seq)
		r.sent.setSent(w.pn)
	}
	ids.announced = false
}
