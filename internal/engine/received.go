package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxAckRanges bounds the ranges of received packet numbers remembered and
// reported. Older packets than the oldest range count as duplicates: their
// content is sent again by a peer that hears nothing of them (RFC 9000,
// Section 13.2.3).
const maxAckRanges = 32

// maxAckDelay is how long an acknowledgment may be held back, as told to the
// peer (RFC 9000, Section 13.2.1).
const maxAckDelay = 25 * time.Millisecond

// ackEvery is the number of ack-eliciting packets after which an
// acknowledgment is due at once (RFC 9000, Section 13.2.2). Packets read
// from the socket in one batch are answered together.
const ackEvery = 2

// received keeps the packet numbers of one space that arrived, and when to
// acknowledge them.
type received struct {
	ranges    []wire.PacketRange // descending, disjoint, not adjacent
	floor     wire.PacketNumber  // below it everything counts as received
	largestAt monotime.Time      // when the largest number arrived
	unacked   int32              // ack-eliciting packets since the last ACK sent
	urgent    bool               // an ACK is due now
	hasECN    bool               // counts are not all zero
	counts    wire.ECNCounts
}

// seen reports whether pn arrived before, or is too old to tell.
func (r *received) seen(pn wire.PacketNumber) bool {
	if pn < r.floor {
		return true
	}
	for _, x := range r.ranges {
		if pn > x.Largest {
			return false
		}
		if pn >= x.Smallest {
			return true
		}
	}
	return false
}

// largest returns the largest number received, or NoPacket.
func (r *received) largest() wire.PacketNumber {
	if len(r.ranges) == 0 {
		return r.floor - 1
	}
	return r.ranges[0].Largest
}

// add records pn, which was not seen before. It returns true when an
// acknowledgment should go out at once.
func (r *received) add(now monotime.Time, pn wire.PacketNumber, ackEliciting bool, ecn path.ECN) bool {
	inOrder := pn == r.largest()+1
	if pn > r.largest() {
		r.largestAt = now
	}
	r.insert(pn)
	r.countECN(ecn)
	if ackEliciting {
		r.unacked++
		// Section 13.2.1: out of order, and marked packets, at once.
		r.urgent = r.urgent || !inOrder || r.unacked >= ackEvery || ecn == path.CE
	}
	return r.urgent
}

func (r *received) insert(pn wire.PacketNumber) {
	for i := range r.ranges {
		x := &r.ranges[i]
		switch {
		case pn == x.Largest+1:
			x.Largest = pn
			return // the gap to the range above stays: it would have matched below
		case pn > x.Largest:
			r.insertAt(i, pn)
			return
		case pn == x.Smallest-1:
			x.Smallest = pn
			r.join(i)
			return
		}
	}
	r.insertAt(len(r.ranges), pn)
}

// join merges range i with the next lower one when they touch.
func (r *received) join(i int) {
	if i+1 < len(r.ranges) && r.ranges[i+1].Largest+1 == r.ranges[i].Smallest {
		r.ranges[i].Smallest = r.ranges[i+1].Smallest
		r.ranges = append(r.ranges[:i+1], r.ranges[i+2:]...)
	}
}

func (r *received) insertAt(i int, pn wire.PacketNumber) {
	if len(r.ranges) == maxAckRanges {
		last := r.ranges[maxAckRanges-1]
		if i == maxAckRanges {
			r.floor = max(r.floor, pn+1) // older than everything remembered: not again
			return
		}
		r.floor = last.Largest + 1
		r.ranges = r.ranges[:maxAckRanges-1]
	}
	r.ranges = append(r.ranges, wire.PacketRange{})
	copy(r.ranges[i+1:], r.ranges[i:])
	r.ranges[i] = wire.PacketRange{Smallest: pn, Largest: pn}
}

func (r *received) countECN(ecn path.ECN) {
	switch ecn {
	case path.ECT0:
		r.counts.ECT0++
	case path.ECT1:
		r.counts.ECT1++
	case path.CE:
		r.counts.CE++
	default:
		return
	}
	r.hasECN = true
}

// ecn returns the counts to report, nil when no marked packet ever came.
func (r *received) ecn() *wire.ECNCounts {
	if !r.hasECN {
		return nil
	}
	return &r.counts
}

// acknowledged: the peer knows of everything up to largest, so it need not be
// told again (RFC 9000, Section 13.2.4).
func (r *received) acknowledged(largest wire.PacketNumber) {
	for i := range r.ranges {
		x := &r.ranges[i]
		if x.Smallest > largest {
			continue
		}
		r.floor = max(r.floor, min(largest, x.Largest)+1)
		if i == 0 && x.Largest <= largest {
			// Keep the largest number itself: ACK frames need one.
			x.Smallest = x.Largest
			r.floor = x.Largest
			r.ranges = r.ranges[:1]
			return
		}
		if x.Largest > largest {
			x.Smallest = largest + 1
			i++
		}
		r.ranges = r.ranges[:i]
		return
	}
}

// sent tells that an ACK frame with everything known went out.
func (r *received) sent() {
	r.unacked = 0
	r.urgent = false
}
