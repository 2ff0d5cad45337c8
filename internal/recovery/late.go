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
	lost      [maxRemembered]lostPacket // the first count, in ascending order
	count     int
	threshold wire.PacketNumber // packets that may overtake one
	delay     time.Duration     // how much longer than a round trip one may take
	calm      int               // losses since the last that was none
}

// lostPacket is a packet found lost.
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
	if l.count == maxRemembered {
		l.forget(0)
	}
	i := l.count
	for ; i > 0 && l.lost[i-1].number > p.Number; i-- {
		l.lost[i] = l.lost[i-1]
	}
	l.lost[i] = lostPacket{p.Number, p.SentAt, p.Bytes}
	l.count++
	if l.calm++; l.calm > calmLosses {
		l.threshold, l.delay = 0, 0
	}
}

// forget drops one of the packets remembered.
func (l *lateness) forget(i int) {
	l.count--
	copy(l.lost[i:l.count], l.lost[i+1:])
}

// findLate looks for packets that counted as lost in an ACK frame, whose ranges
// descend; before is the largest number acknowledged until now.
func (d *Detector) findLate(now monotime.Time, ack *wire.Ack, before wire.PacketNumber) {
	l := d.late
	i := l.count - 1
	for r := range ack.Ranges() {
		for i >= 0 && l.lost[i].number > r.Largest {
			i--
		}
		for ; i >= 0 && l.lost[i].number >= r.Smallest; i-- {
			p := l.lost[i]
			l.forget(i)
			d.arrivedLate(now, p, before)
		}
		if i < 0 {
			return
		}
	}
}

// arrivedLate makes packets count as lost later, and tells of one that did too early.
func (d *Detector) arrivedLate(now monotime.Time, p lostPacket, before wire.PacketNumber) {
	l := d.late
	l.calm = 0
	l.threshold = min(max(l.threshold, before-p.number+2), maxPacketThreshold)
	l.delay = max(l.delay, now.Sub(p.sentAt)-d.RTT.smoothed())
	d.fates.PacketLate(now, p.bytes, p.sentAt)
}

// ForgetOrder forgets how a path changed the order of packets, for another path.
func (d *Detector) ForgetOrder() { d.late = nil }
