package recovery

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Deadline returns when OnDeadline is due: the time the next overtaken packet
// counts as lost, or the probe timeout. Zero means never
// (RFC 9002, Appendix A.8).
func (d *Detector) Deadline(l Limits) monotime.Time {
	if at, _ := d.lossTime(); !at.IsZero() {
		return at
	}
	at, _ := d.probeTime(l)
	return at
}

func (d *Detector) lossTime() (at monotime.Time, id wire.Space) {
	for i, s := range d.spaces {
		if s != nil && !s.lossTime.IsZero() && (at.IsZero() || s.lossTime < at) {
			at, id = s.lossTime, wire.Space(i)
		}
	}
	return at, id
}

func (d *Detector) probeTime(l Limits) (at monotime.Time, id wire.Space) {
	if l.AmplificationCap {
		return 0, 0
	}
	pto := d.path.RTT.PTO() << min(d.ptoCount, maxPTOBackoff)
	waiting := false
	for i, s := range d.spaces {
		if s == nil || s.ackEliciting == s.aside {
			continue
		}
		waiting = true
		timeout := pto
		if wire.Space(i) == wire.AppSpace {
			if !l.Confirmed {
				continue // Section 6.2.1: not before the handshake is confirmed
			}
			timeout += d.MaxAckDelay << min(d.ptoCount, maxPTOBackoff)
		}
		if t := max(s.lastAckEliciting.Add(timeout), d.probeAfter); at.IsZero() || t < at {
			at, id = t, wire.Space(i)
		}
	}
	if (waiting && !at.IsZero()) || l.PeerValidated || d.lastNews.IsZero() {
		return at, id
	}
	// Section 6.2.2.1: a client keeps probing until the server can surely
	// send, or both would wait for each other.
	id = wire.InitialSpace
	if l.HandshakeKeys {
		id = wire.HandshakeSpace
	}
	return d.lastNews.Add(pto), id
}

// Expired is what was due.
type Expired struct {
	Persistent bool // packets were found lost: persistent congestion of the path in use
	Probe      bool // a probe must be sent (RFC 9002, Section 6.2.4)
	Space      wire.Space
}

// OnDeadline is called when Deadline has passed. Either packets were found lost, or
// a probe must be sent.
func (d *Detector) OnDeadline(now monotime.Time, l Limits) Expired {
	if at, id := d.lossTime(); !at.IsZero() {
		if at.After(now) {
			return Expired{}
		}
		return Expired{Persistent: d.detectLost(now, id), Space: id}
	}
	at, id := d.probeTime(l)
	if at.IsZero() || at.After(now) {
		return Expired{}
	}
	d.ptoCount++
	d.lastNews = now
	return Expired{Probe: true, Space: id}
}

// Oldest calls f for the oldest ack-eliciting packets with no news in a space until
// it has returned true n times, so that a probe can carry their frames again. Their
// fate stays open.
func (d *Detector) Oldest(id wire.Space, n int, f func(wire.PacketNumber, *Sent) bool) {
	s := d.spaces[id]
	if s == nil {
		return
	}
	for pn := s.ring.first; pn < s.ring.end() && n > 0; pn++ {
		if p := s.ring.at(pn); p.state == sentWaiting && p.AckEliciting && f(pn, p) {
			n--
		}
	}
}

// Discard forgets a number space whose keys are gone; its packets are neither
// acknowledged nor lost, and the backoff ends (RFC 9002, Section 6.4).
func (d *Detector) Discard(now monotime.Time, id wire.Space) {
	s := d.spaces[id]
	if s == nil {
		return
	}
	for pn := s.ring.first; pn < s.ring.end(); pn++ {
		if p := s.ring.at(pn); p.state == sentWaiting {
			d.landed(p)
		}
	}
	d.spaces[id] = nil
	d.ptoCount = 0
	d.lastNews = now
	d.probeAfter = now.Add(granularity)
}

// Trim gives back the memory of a space's records when none of them waits for
// an acknowledgment that the peer owes. What is forgotten of packets that need
// none is of no consequence, nor is it of probes for paths, which carry nothing else.
func (d *Detector) Trim(id wire.Space) {
	s := d.spaces[id]
	if s == nil || s.ackEliciting > s.aside {
		return
	}
	for pn := s.ring.first; pn < s.ring.end(); pn++ {
		if p := s.ring.at(pn); p.state == sentWaiting {
			d.landed(p)
		}
	}
	s.ring, s.ackEliciting, s.aside = sentRing{}, 0, 0
	d.lost = nil
}

// Overtaken reports whether a packet that counts as lost does so for its order, and not
// for its time (RFC 9002, Section 6.1); any is false if none of its space was
// acknowledged, so that it was declared lost for another reason.
func (d *Detector) Overtaken(id wire.Space, pn wire.PacketNumber, p *Sent) (overtaken, any bool) {
	s, path := d.spaces[id], d.pathOf(p.Path)
	if path == nil {
		path = d.path
	}
	return pn <= s.largestAcked-path.packetThreshold(), s.largestAcked != wire.NoPacket
}

// LoseAll declares every packet of a space lost, as after a Retry, which makes them
// meaningless (RFC 9000, Section 17.2.5.3).
func (d *Detector) LoseAll(now monotime.Time, id wire.Space) {
	s := d.spaces[id]
	for pn := s.ring.first; pn < s.ring.end(); pn++ {
		if p := s.ring.at(pn); p.state == sentWaiting {
			d.settle(s, p)
			d.fates.PacketLost(now, id, pn, p)
		}
	}
	s.lossTime = 0
	s.ring.pop(s.next)
}
