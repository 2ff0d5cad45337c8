// Package path keeps what a connection knows of each way to its peer: the addresses,
// the connection ID in use there, whether the peer was shown to be at that address,
// and what sending taught, which is the round-trip time, the congestion controller and
// pacer, the size of datagrams, ECN and the bytes in flight.
//
//	var paths path.Set
//	paths.Use(now, path.New(addrs, estimates))
//	p := paths.Current                             // where packets go
//	paths.Add(path.New(other, paths.EstimatesFor(now, other)))
//
// Several paths may be alive at once; packets of application data go to the current
// one. It sends nothing itself.
package path

import (
	"github.com/godwit-quic/godwit/internal/congestion"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Path is one way to the peer.
type Path struct {
	Addrs
	Peer       PeerID // where packets on this path are addressed to
	validation *validation
	validated  bool          // the peer was shown to be at the address
	fallback   bool          // see Set.Fallback
	next       *Path         // in the list of a Set
	lastUse    monotime.Time // when another took over, from it or from one that taught its estimates
	*Estimates
}

// PeerID is one of the peer's connection IDs.
type PeerID struct {
	Seq      uint64
	ID       wire.ConnectionID
	Token    wire.ResetToken
	HasToken bool
}

// noSeq is the sequence number of a path that has no connection ID of its own, as it
// is not used.
const noSeq = ^uint64(0)

// HasPeer reports whether the path has a connection ID.
func (p *Path) HasPeer() bool { return p.Peer.Seq != noSeq }

// DropPeer takes the connection ID away.
func (p *Path) DropPeer() { p.Peer = PeerID{Seq: noSeq} }

// Estimates is what sending on a path taught. Paths that differ in nothing but the
// peer's port share it: then the way is most likely the same, behind a NAT that forgot
// its mapping (RFC 9000, Section 9.4).
type Estimates struct {
	recovery.PathState
	Controller  congestion.Controller // nil until the path is the current one
	Pacer       Pacer
	MTU         MTU
	Lost        Lost   // packets found lost that the controller has not been told of
	NewlyMarked uint32 // marked packets that the ACK frame being handled acknowledges
	ecnFailed   bool   // marks or their counts do not arrive as they should
}

// Lost sums up packets found lost at once.
type Lost struct {
	Bytes         int32
	LargestSentAt monotime.Time
}

// New returns a path that is not validated.
func New(addrs Addrs, e *Estimates) *Path {
	return &Path{Addrs: addrs, Estimates: e, validation: new(validation), Peer: PeerID{Seq: noSeq}}
}

// Mark returns what to put into the ECN field of packets: ECT(0) while the path and
// the peer handle the marks properly (RFC 9000, Section 13.4.2).
func (e *Estimates) Mark() ECN {
	if e.ecnFailed {
		return NotECT
	}
	return ECT0
}

// FailECN ends the use of ECN on the path.
func (e *Estimates) FailECN() { e.ecnFailed = true }

// Full reports whether the congestion window is used up.
func (e *Estimates) Full() bool { return e.InFlight() >= e.Controller.Window() }
