package recovery

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Packets that arrive after they counted as lost show that the path changes the
// order of packets by more than the thresholds allow for. RFC 9002, Sections 6.1.1
// and 6.1.2, lets a sender wait longer then; within these bounds, so that what is
// really lost is not found much later.
const (
	maxPacketThreshold = 64
	maxLateDivisor     = 2 // of the round trip, which a packet may be late by
)

// maxRemembered is how many of the last packets found lost are remembered, to
// recognize them when they arrive after all.
const maxRemembered = 32

// calmLosses is how many packets have to be lost, and stay lost, until the thresholds
// are the usual ones again: a path's disorder may pass.
const calmLosses = 64

// lateness is what is known of the order of packets on a path. It is made with the
// first loss.
type lateness struct {
	lost      [maxRemembered]lostPacket // a ring
	next      int                       // of lost, to be overwritten
	threshold wire.PacketNumber         // packets that may overtake one
	delay     time.Duration             // how much longer than a round trip one may take
	calm      int                       // losses since the last that was none
}

// lostPacket is a packet found lost; zero bytes are none.
type lostPacket struct {
	number wire.PacketNumber
	sentAt monotime.Time
	bytes  int
}

// packetThreshold returns how many packets may overtake one before it counts as lost.
func (d *Detector) packetThreshold() wire.PacketNumber {
	if d.late == nil {
		return packetThreshold
	}
	return max(packetThreshold, d.late.threshold)
}

// lossDelay returns how long after it was sent a packet that was overtaken counts as
// lost.
func (d *Detector) lossDelay() time.Duration {
	delay := d.RTT.LossDelay()
	if d.late == nil {
		return delay
	}
	rtt := max(d.RTT.Latest, d.RTT.smoothed())
	return max(delay, rtt+min(d.late.delay, rtt/maxLateDivisor))
}

// remember keeps a packet that was found lost in mind.
func (d *Detector) remember(p *Sent) {
	if d.late == nil {
		d.late = new(lateness)
	}
	l := d.late
	l.lost[l.next] = lostPacket{p.Number, p.SentAt, p.Bytes}
	l.next = (l.next + 1) % maxRemembered
	if l.calm++; l.calm > calmLosses {
		l.threshold, l.delay = 0, 0
	}
}

// findLate looks for packets that counted as lost among those now acknowledged;
// before is the largest number acknowledged until now.
func (d *Detector) findLate(now monotime.Time, r wire.PacketRange, before wire.PacketNumber) {
	l := d.late
	for i := range l.lost {
		p := l.lost[i]
		if p.bytes == 0 || p.number < r.Smallest || p.number > r.Largest {
			continue
		}
		l.lost[i] = lostPacket{}
		l.calm = 0
		l.threshold = min(max(l.threshold, before-p.number+2), maxPacketThreshold)
		l.delay = max(l.delay, now.Sub(p.sentAt)-d.RTT.smoothed())
		d.fates.PacketLate(now, p.bytes, p.sentAt)
	}
}

// ForgetOrder forgets how a path changed the order of packets, for another path.
func (d *Detector) ForgetOrder() { d.late = nil }
