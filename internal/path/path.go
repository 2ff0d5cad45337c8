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
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// Path is one way to the peer.
type Path struct {
	Addrs
	Peer       PeerID // where packets on this path are addressed to
	validation *validation
	validated  bool          // the peer was shown to be at the address
	fallback   bool          // see Set.Fallback
	failed     bool          // see Failed
	Preferred  bool          // leads to an address that the server prefers, and the client is not there yet
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
	Controller congestion.Controller // nil until the path is the current one
	Pacer      Pacer
	MTU        MTU
	maxWindow  int32 // bytes, whatever the controller says
	ecnFailed  bool  // marks or their counts do not arrive as they should
	// Underused says that there was nothing more to send when a packet was last built,
	// though the window and the pacer had room.
	Underused bool
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

const minWindowPackets = 2

// Control gives the path a congestion controller, whose window counts up to max bytes.
func (e *Estimates) Control(c congestion.Controller, max int) {
	e.Controller, e.maxWindow = c, int32(max)
}

// Window returns how many bytes may be in flight: what the controller says, but at least
// two datagrams (RFC 9002, Section 7.2), so that there is progress, and at most what Control
// was told. It is 0 if there is no controller.
func (e *Estimates) Window() int {
	if e.Controller == nil {
		return 0
	}
	return min(max(e.Controller.Window(), minWindowPackets*e.MTU.Size()), int(e.maxWindow))
}

// Full reports whether the congestion window is used up.
func (e *Estimates) Full() bool { return e.InFlight() >= e.Window() }

// Stand fills in how the path stands, but for what was in flight before.
func (e *Estimates) Stand(now monotime.Time, f *congestion.Feedback) {
	f.Now, f.InFlight = time.Duration(now), e.InFlight()
	f.TotalDelivered, f.TotalLost = e.Delivered(), e.PathState.Lost()
	f.LatestRTT, f.MinRTT, f.SmoothedRTT = e.RTT.Latest, e.RTT.Min, e.RTT.Smoothed
}
