// Package recovery keeps the packets that were sent and decides which of them
// arrived and which are lost (RFC 9002): round-trip times, packet and time
// thresholds, probe timeouts, persistent congestion. It knows nothing of what
// the packets carry; it tells the fate of each to its owner:
//
//	d := recovery.NewDetector(fates)
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

// Fates is told what became of a packet. The record is valid only during the
// call.
type Fates interface {
	PacketAcked(now monotime.Time, space wire.Space, p *Sent)
	PacketLost(now monotime.Time, space wire.Space, p *Sent)
	// PacketLate tells that a packet of the 1-RTT space of so many bytes, sent at
	// sentAt, has arrived that PacketLost was called for: it was only overtaken.
	PacketLate(now monotime.Time, bytes int, sentAt monotime.Time)
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
	RTT         RTT
	MaxAckDelay time.Duration // the peer's, from its transport parameters

	fates       Fates
	spaces      [wire.NumSpaces]*Space
	late        *lateness // nil until a packet of the 1-RTT space is lost
	inFlight    int32
	ptoCount    int32
	lastNews    monotime.Time // last ack-eliciting send or newly acked packet
	probeAfter  monotime.Time // no probe timeout is earlier
	firstSample monotime.Time // when RTT got its first sample
}

// NewDetector returns a detector that tells fates.
func NewDetector(fates Fates) Detector { return Detector{fates: fates} }

// SetSpace adds a number space.
func (d *Detector) SetSpace(id wire.Space, s *Space) { d.spaces[id] = s }

// InFlight returns the bytes that count against the congestion window.
func (d *Detector) InFlight() int { return int(d.inFlight) }

// PTOCount returns how many probe timeouts passed since the last news.
func (d *Detector) PTOCount() int { return int(d.ptoCount) }

// PTO returns the present probe timeout of the 1-RTT space without backoff.
func (d *Detector) PTO() time.Duration { return d.RTT.PTO() + d.MaxAckDelay }

// OnSent records the packet reserved by Space.Begin as sent.
func (d *Detector) OnSent(id wire.Space, p *Sent) {
	s := d.spaces[id]
	s.next++
	d.inFlight += int32(p.Bytes)
	if p.Eliciting {
		s.eliciting++
		s.lastEliciting = p.SentAt
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
	ElicitedNew   bool // at least one newly acknowledged packet was ack-eliciting
	LargestSentAt monotime.Time
	Loss          Loss
}

// Loss sums up the packets found lost at once.
type Loss struct {
	Packets       int
	Bytes         int // of packets that count as congestion
	LargestSentAt monotime.Time
	Persistent    bool // persistent congestion (RFC 9002, Section 7.6)
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
		d.sampleRTT(now, id, ack, largest, delay)
	}
	before := s.largestAcked
	s.largestAcked = max(s.largestAcked, ack.Largest)
	for r := range ack.Ranges() {
		if !d.ackRange(now, id, s, r, &res) {
			return res, false
		}
	}
	if d.late != nil && id == wire.AppSpace {
		d.findLate(now, ack, before)
	}
	if !res.NewlyAcked {
		return res, true
	}
	s.ring.pop(s.largestAcked)
	res.Loss = d.detectLost(now, id)
	d.lastNews = now
	return res, true
}

// sampleRTT measures a round trip when the largest acknowledged packet asked
// for the acknowledgment (RFC 9002, Section 5.1).
func (d *Detector) sampleRTT(now monotime.Time, id wire.Space, ack *wire.Ack, p *Sent, delay time.Duration) {
	if !p.Eliciting {
		return
	}
	if d.firstSample.IsZero() {
		d.firstSample = now
	}
	if id == wire.InitialSpace {
		delay = 0 // Section 5.3: may be ignored, the peer may not know better
	}
	d.RTT.Update(now.Sub(p.SentAt), delay)
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
			res.ElicitedNew = res.ElicitedNew || p.Eliciting
			d.settle(s, p)
			d.fates.PacketAcked(now, id, p)
		}
	}
	return true
}

// settle takes p out of what is in flight.
func (d *Detector) settle(s *Space, p *Sent) {
	p.state = sentNone
	d.inFlight -= int32(p.Bytes)
	if p.Eliciting {
		s.eliciting--
	} else {
		s.ring.quiet--
	}
}

// ResetPTO ends the backoff: called when new acknowledgments came, unless the
// peer may still be limited by amplification (RFC 9002, Section 6.2.1).
func (d *Detector) ResetPTO() { d.ptoCount = 0 }

// detectLost finds the packets overtaken by too many or for too long
// (RFC 9002, Section 6.1 and Appendix A.10).
func (d *Detector) detectLost(now monotime.Time, id wire.Space) Loss {
	var loss Loss
	s := d.spaces[id]
	s.lossTime = 0
	delay, threshold := d.lossDelay(), d.packetThreshold()
	run := congestionRun{after: d.firstSample, enough: d.persistentDuration()}
	for pn := s.ring.first; pn <= s.largestAcked && pn < s.ring.end(); pn++ {
		p := s.ring.at(pn)
		if p.state != sentWaiting {
			if p.state == sentNone {
				run.interrupt()
			}
			continue
		}
		lostAt := p.SentAt.Add(delay)
		if pn > s.largestAcked-threshold && lostAt.After(now) {
			s.lossTime = monotime.Earliest(s.lossTime, lostAt)
			continue
		}
		d.settle(s, p)
		if p.Eliciting {
			loss.Packets++
			if !p.MTUProbe {
				loss.Bytes += p.Bytes
				loss.LargestSentAt = max(loss.LargestSentAt, p.SentAt)
				loss.Persistent = run.extend(p.SentAt) || loss.Persistent
				if id == wire.AppSpace {
					d.remember(p)
				}
			}
		}
		d.fates.PacketLost(now, id, p)
	}
	s.ring.pop(s.largestAcked)
	return loss
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
