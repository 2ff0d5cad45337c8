// Package recovery keeps the packets that were sent and decides which of them
// arrived and which are lost (RFC 9002): round-trip times, packet and time
// thresholds, probe timeouts, persistent congestion. It knows nothing of what
// the packets carry; it tells the fate of each to its owner:
//
//	d := recovery.NewDetector(fates)
//	d.UsePath(path)
//	space := recovery.NewSpace()
//	d.SetSpace(wire.AppSpace, &space)
//	p := space.Begin()                    // fill in p, then
//	d.OnSent(wire.AppSpace, p)
//	res, ok := d.OnAck(now, wire.AppSpace, &ack, delay)
//	deadline, _ := d.Deadline(limits)     // and at that time
//	d.OnDeadline(now, limits)
package recovery

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Thresholds of RFC 9002.
const (
	packetThreshold     = 3 // Section 6.1.1
	persistentThreshold = 3 // Section 7.6.1
)

// maxPTOBackoff bounds the doubling of the probe timeout; beyond it an idle
// or handshake timeout ends the connection anyway.
const maxPTOBackoff = 10

// Fates is told what became of a packet, whose number is pn. The record is valid only
// during the call.
type Fates interface {
	PacketAcked(now monotime.Time, space wire.Space, pn wire.PacketNumber, p *Sent)
	PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber, p *Sent)
	// PacketLate tells that a packet of the 1-RTT space has arrived that PacketLost
	// was called for.
	PacketLate(now monotime.Time, p LatePacket)
	// PathState returns a path that is not in use now, nil when it is forgotten.
	PathState(id PathID) *PathState
}

// Limits are the facts about the handshake that the probe timeout depends on
// (RFC 9002, Section 6.2.2.1).
type Limits struct {
	Confirmed        bool // the handshake is confirmed: probe 1-RTT packets
	HandshakeKeys    bool // Handshake packets can be sent
	PeerValidated    bool // the peer needs no probes to go on: it has validated this side's address
	AmplificationCap bool // nothing may be sent until more arrives
}

// Detector finds lost packets for all number spaces of a connection.
type Detector struct {
	MaxAckDelay time.Duration // the peer's, from its transport parameters

	fates      Fates
	path       *PathState // in use
	spaces     [wire.NumSpaces]*Space
	lost       *lostPackets // nil until a packet of the 1-RTT space is lost
	ptoCount   int32
	lastNews   monotime.Time // last ack-eliciting send or newly acked packet
	probeAfter monotime.Time // no probe timeout is earlier
}

// NewDetector returns a detector that tells fates.
func NewDetector(fates Fates) Detector { return Detector{fates: fates} }

// SetSpace adds a number space.
func (d *Detector) SetSpace(id wire.Space, s *Space) { d.spaces[id] = s }

// UsePath tells which path is in use: probe timeouts follow its round-trip time.
func (d *Detector) UsePath(p *PathState) {
	if d.path != p {
		d.ptoCount = 0 // what went unanswered before says nothing of this path
	}
	d.path = p
}

// pathOf returns a path that a packet left on, nil when it is forgotten.
func (d *Detector) pathOf(id PathID) *PathState {
	if d.path.ID == id {
		return d.path
	}
	return d.fates.PathState(id)
}

// PTOCount returns how many probe timeouts passed since the last news.
func (d *Detector) PTOCount() int { return int(d.ptoCount) }

// PTO returns the present probe timeout of the 1-RTT space without backoff.
func (d *Detector) PTO() time.Duration { return d.path.RTT.PTO() + d.MaxAckDelay }

// OnSent records the packet reserved by Space.Begin as sent.
func (d *Detector) OnSent(id wire.Space, p *Sent) {
	s := d.spaces[id]
	s.next++
	if path := d.pathOf(p.Path); path != nil && p.Bytes > 0 {
		path.departs(p)
	}
	if p.AckEliciting {
		s.ackEliciting++
		if p.Probe == PathProbe {
			s.aside++
			return
		}
		s.lastAckEliciting = p.SentAt
		d.lastNews = p.SentAt
		return
	}
	s.ring.quiet++
	if s.ring.quiet > maxQuietPackets {
		s.ring.pop(s.largestAcked)
	}
}

// AckResult sums up what one ACK frame told.
type AckResult struct {
	NewlyAcked    bool
	LargestNew    bool // the frame's largest number was newly acknowledged
	LargestSentAt monotime.Time
	LargestPath   PathID
	Persistent    bool // persistent congestion of the path in use (RFC 9002, Section 7.6)
}

// OnAck takes an ACK frame with the peer's delay already decoded. It returns
// false when the frame acknowledges a packet that was never sent, which is a
// PROTOCOL_VIOLATION (RFC 9000, Section 13.1).
func (d *Detector) OnAck(now monotime.Time, id wire.Space, ack *wire.Ack, delay time.Duration) (AckResult, bool) {
	var res AckResult
	s := d.spaces[id]
	if ack.Largest >= s.next {
		return res, false
	}
	if largest := s.lookup(ack.Largest); largest != nil && largest.state == sentWaiting {
		res.LargestNew = true
		res.LargestSentAt = largest.SentAt
		res.LargestPath = largest.Path
		if path := d.pathOf(largest.Path); path != nil && largest.AckEliciting {
			if id == wire.InitialSpace {
				delay = 0 // RFC 9002, Section 5.3: may be ignored, the peer may not know better
			}
			path.sampleRTT(now, largest, delay)
		}
	}
	before := s.largestAcked
	s.largestAcked = max(s.largestAcked, ack.Largest)
	for r := range ack.Ranges() {
		if !d.ackRange(now, id, s, r, &res) {
			return res, false
		}
	}
	if d.lost != nil && id == wire.AppSpace {
		d.findLate(now, ack, before)
	}
	if !res.NewlyAcked {
		return res, true
	}
	s.ring.pop(s.largestAcked)
	res.Persistent = d.detectLost(now, id)
	d.lastNews = now
	return res, true
}

func (s *Space) lookup(pn wire.PacketNumber) *Sent {
	if pn < s.ring.first || pn >= s.ring.end() {
		return nil
	}
	return s.ring.at(pn)
}

func (d *Detector) ackRange(now monotime.Time, id wire.Space, s *Space, r wire.PacketRange, res *AckResult) bool {
	lo, hi := max(r.Smallest, s.ring.first), min(r.Largest, s.ring.end()-1)
	for pn := lo; pn <= hi; pn++ {
		p := s.ring.at(pn)
		switch p.state {
		case sentSkipped:
			return false
		case sentWaiting:
			res.NewlyAcked = true
			if path := d.settle(s, p); path != nil {
				path.delivers(now, int(p.Bytes))
			}
			d.fates.PacketAcked(now, id, pn, p)
		}
	}
	return true
}

// settle takes p out of what is in flight. It returns the path on which p left, nil when
// that is forgotten.
func (d *Detector) settle(s *Space, p *Sent) *PathState {
	p.state = sentNone
	if p.AckEliciting {
		s.ackEliciting--
		if p.Probe == PathProbe {
			s.aside--
		}
	} else {
		s.ring.quiet--
	}
	return d.landed(p)
}

// landed takes a packet's bytes out of those in flight on its path, which it returns.
func (d *Detector) landed(p *Sent) *PathState {
	path := d.pathOf(p.Path)
	if path != nil {
		path.inFlight -= int32(p.Bytes)
	}
	return path
}

// ResetPTO ends the backoff: called when new acknowledgments came, unless the
// peer may still be limited by amplification (RFC 9002, Section 6.2.1).
func (d *Detector) ResetPTO() { d.ptoCount = 0 }

// detectLost finds the packets overtaken by too many or for too long, by the
// round-trip time and the order of the path that each left on (RFC 9002, Section 6.1
// and Appendix A.10). It reports persistent congestion of the path in use.
func (d *Detector) detectLost(now monotime.Time, id wire.Space) (persistent bool) {
	s := d.spaces[id]
	s.lossTime = 0
	path := d.path
	delay, threshold := path.lossDelay(), path.packetThreshold()
	run := congestionRun{after: path.firstSample, enough: d.persistentDuration()}
	for pn := s.ring.first; pn <= s.largestAcked && pn < s.ring.end(); pn++ {
		p := s.ring.at(pn)
		if p.state != sentWaiting {
			if p.state == sentNone && p.Path == d.path.ID {
				run.interrupt()
			}
			continue
		}
		if p.Path != path.ID {
			if path = d.pathOf(p.Path); path == nil {
				path = d.path
			}
			delay, threshold = path.lossDelay(), path.packetThreshold()
		}
		lostAt := p.SentAt.Add(delay)
		if pn > s.largestAcked-threshold && lostAt.After(now) {
			s.lossTime = monotime.Earliest(s.lossTime, lostAt)
			continue
		}
		d.settle(s, p)
		if p.Congests() {
			path.deliveries.lost += uint64(p.Bytes)
			if p.Path == d.path.ID {
				persistent = run.extend(p.SentAt) || persistent
			}
			if id == wire.AppSpace {
				path.order.lost()
				d.remember(pn, p)
			}
		}
		d.fates.PacketLost(now, id, pn, p)
	}
	s.ring.pop(s.largestAcked)
	return persistent
}

func (d *Detector) persistentDuration() time.Duration {
	return d.PTO() * persistentThreshold
}

// congestionRun follows a row of lost ack-eliciting packets with none
// acknowledged between them (RFC 9002, Section 7.6.2).
type congestionRun struct {
	after, start monotime.Time
	enough       time.Duration
}

func (r *congestionRun) interrupt() { r.start = 0 }

// extend adds a lost packet and reports whether the row is long enough.
func (r *congestionRun) extend(sentAt monotime.Time) bool {
	if r.after.IsZero() || sentAt.Before(r.after) {
		return false
	}
	if r.start.IsZero() {
		r.start = sentAt
	}
	return sentAt.Sub(r.start) > r.enough
}
