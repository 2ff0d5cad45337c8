package recovery

import (
	"math"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// PathID names a path among all that a connection ever had. Sent packets carry it,
// so that their fate counts for the path on which they left, and for no other
// (RFC 9000, Section 9.4).
type PathID uint32

// PathState is what loss recovery knows of one path. The zero value has sent nothing
// yet.
type PathState struct {
	RTT RTT
	ID  PathID

	inFlight    int32
	firstSample monotime.Time // when RTT got its first sample
	deliveries  deliveries
	order       disorder
	// limited is how many bytes are to be delivered until all has left the path that
	// was sent before there was too little to send, 0 when there was enough. C.app_limited
	// of draft-ietf-ccwg-bbr is the same as a sum.
	limited int32
}

// Forget forgets what was learned of the path, on which nothing is in flight.
func (p *PathState) Forget() { *p = PathState{ID: p.ID} }

// InFlight returns the bytes sent on the path that count against its congestion
// window.
func (p *PathState) InFlight() int { return int(p.inFlight) }

// disorder is how much a path was seen to change the order of packets, beyond the
// thresholds of RFC 9002. Sections 6.1.1 and 6.1.2 there let a sender wait longer
// then; within these bounds, so that what is really lost is not found much later.
type disorder struct {
	threshold uint8  // packets that may overtake one; 0: as usual
	calm      uint8  // losses since the last that was none
	delay     uint16 // how much longer than a round trip a packet may take, in delayUnit
}

// delayUnit lets a disorder's delay reach to a second, as much as a round trip of two
// seconds asks for.
const delayUnit = 16 * time.Microsecond

const (
	maxPacketThreshold = 64
	maxLateDivisor     = 2 // of the round trip, which a packet may be late by
)

// calmLosses is how many packets have to be lost, and stay lost, until the thresholds
// are the usual ones again: a path's disorder may pass.
const calmLosses = 64

// lost notes that a packet counts as lost.
func (o *disorder) lost() {
	if o.calm++; o.calm > calmLosses {
		*o = disorder{}
	}
}

// packetThreshold returns how many packets may overtake one before it counts as lost.
func (p *PathState) packetThreshold() wire.PacketNumber {
	return max(packetThreshold, wire.PacketNumber(p.order.threshold))
}

// lossDelay returns how long after it was sent a packet that was overtaken counts as
// lost.
func (p *PathState) lossDelay() time.Duration {
	rtt := max(p.RTT.Latest, p.RTT.smoothed())
	return max(p.RTT.LossDelay(), rtt+min(time.Duration(p.order.delay)*delayUnit, rtt/maxLateDivisor))
}

// arrivedLate makes packets count as lost later, as one did too early: so many newer
// ones had overtaken it, and it took so long.
func (p *PathState) arrivedLate(overtaken wire.PacketNumber, took time.Duration) {
	o := &p.order
	o.calm = 0
	o.threshold = max(o.threshold, uint8(min(overtaken+1, maxPacketThreshold)))
	late := (took - p.RTT.smoothed() + delayUnit - 1) / delayUnit
	o.delay = max(o.delay, uint16(min(max(late, 0), math.MaxUint16)))
}

// sampleRTT measures a round trip by a packet that asked for the acknowledgment, the
// largest that was newly acknowledged (RFC 9002, Section 5.1).
func (p *PathState) sampleRTT(now monotime.Time, sent *Sent, delay time.Duration) {
	if p.firstSample.IsZero() {
		p.firstSample = now
	}
	p.RTT.Update(now.Sub(sent.SentAt), delay)
}
