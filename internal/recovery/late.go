package recovery

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxRemembered is how many of the last packets found lost are remembered, to
// recognize them when they arrive after all: then their path changes the order of
// packets by more than the thresholds allow for.
const maxRemembered = 32

// lostPackets are the last packets of the 1-RTT space found lost.
type lostPackets struct {
	list  [maxRemembered]LatePacket // the first count, in ascending order
	count int
}

// LatePacket is a packet that arrived after it had been found lost: it was only
// overtaken.
type LatePacket struct {
	Number wire.PacketNumber
	SentAt monotime.Time
	Bytes  int32
	Path   PathID
}

// remember keeps a packet that was found lost in mind.
func (d *Detector) remember(pn wire.PacketNumber, p *Sent) {
	if d.lost == nil {
		d.lost = new(lostPackets)
	}
	l := d.lost
	if l.count == maxRemembered {
		l.forget(0)
	}
	i := l.count
	for ; i > 0 && l.list[i-1].Number > pn; i-- {
		l.list[i] = l.list[i-1]
	}
	l.list[i] = LatePacket{pn, p.SentAt, int32(p.Bytes), p.Path}
	l.count++
}

// forget drops one of the packets remembered.
func (l *lostPackets) forget(i int) {
	l.count--
	copy(l.list[i:l.count], l.list[i+1:])
}

// findLate looks for packets that counted as lost in an ACK frame, whose ranges
// descend; before is the largest number acknowledged until now.
func (d *Detector) findLate(now monotime.Time, ack *wire.Ack, before wire.PacketNumber) {
	l := d.lost
	i := l.count - 1
	for r := range ack.Ranges() {
		for i >= 0 && l.list[i].Number > r.Largest {
			i--
		}
		for ; i >= 0 && l.list[i].Number >= r.Smallest; i-- {
			p := l.list[i]
			l.forget(i)
			if path := d.pathOf(p.Path); path != nil {
				path.arrivedLate(before-p.Number+1, now.Sub(p.SentAt))
				path.delivers(now, int(p.Bytes))
				d.fates.PacketLate(now, p)
			}
		}
		if i < 0 {
			return
		}
	}
}
