package engine

import (
	"github.com/godwit-quic/godwit/internal/congestion"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// What a packet's frame records stand for.
const (
	recAck               recovery.FrameKind = iota // ID: largest acknowledged
	recStream                                      // ID, Offset, Len, Fin
	recCrypto                                      // Offset, Len
	recMaxData                                     //
	recMaxStreamData                               // ID
	recMaxStreams                                  // ID: kind
	recDataBlocked                                 //
	recStreamDataBlocked                           // ID
	recStreamsBlocked                              // ID: kind
	recResetStream                                 // ID
	recStopSending                                 // ID
	recNewConnID                                   // ID: sequence number
	recRetireConnID                                // ID: sequence number
	recHandshakeDone                               //
	recMTUProbe                                    // ID: size
)

// sentFrame is a frame of a sent packet.
type sentFrame = recovery.Frame

// PacketAcked implements recovery.Fates.
func (c *Conn) PacketAcked(now monotime.Time, id wire.Space, p *recovery.Sent) {
	c.settle(id, p, acked)
	if id == wire.AppSpace && !c.ecn.failed {
		c.ackedMarked++
	}
	if p.Bytes == 0 {
		return
	}
	rtt := &c.loss.RTT
	c.cc.OnAcked(now, congestion.Acked{
		Number:      p.Number,
		SentAt:      p.SentAt,
		Bytes:       p.Bytes,
		InFlight:    c.loss.InFlight() + p.Bytes,
		LatestRTT:   rtt.Latest,
		MinRTT:      rtt.Min,
		SmoothedRTT: rtt.Smoothed,
		AppLimited:  p.AppLimited || 2*int(c.control.inFlightAtAck) < c.cc.Window(),
		NextNumber:  c.numberSpace(id).sent.Next(),
	})
}

// PacketLost implements recovery.Fates.
func (c *Conn) PacketLost(now monotime.Time, id wire.Space, p *recovery.Sent) {
	if p.Eliciting && !p.MTUProbe {
		c.counters.LostPackets++
		c.counters.LostBytes += uint64(p.Bytes)
	}
	c.traceLost(now, id, p)
	c.settle(id, p, lost)
}

// PacketLate implements recovery.Fates.
func (c *Conn) PacketLate(now monotime.Time, bytes int, sentAt monotime.Time) {
	c.cc.OnLate(now, bytes, sentAt)
}

// settle walks a packet's frames: what arrived is done, what was lost is sent
// again if it still matters (RFC 9000, Section 13.3).
func (c *Conn) settle(id wire.Space, p *recovery.Sent, f fate) {
	for i := range p.Frames {
		r := &p.Frames[i]
		switch r.Kind {
		case recStream:
			c.settleStreamData(r, p.Number, f)
		case recAck:
			if space := c.numberSpace(id); space != nil && f == acked {
				space.received.acknowledged(wire.PacketNumber(r.ID))
			}
		case recCrypto:
			if space := c.numberSpace(id); space != nil {
				space.crypto.settle(r.Offset, int(r.Len), f)
			}
		case recMaxData:
			c.flow.update.settle(p.Number, f)
		case recDataBlocked:
			c.flow.blocked.settle(p.Number, f)
		case recMaxStreams:
			c.streams.remote[r.ID].update.settle(p.Number, f)
		case recStreamsBlocked:
			c.streams.local[r.ID].blocked.settle(p.Number, f)
		case recMaxStreamData, recStreamDataBlocked, recResetStream, recStopSending:
			c.settleStreamControl(r, p.Number, f)
		case recNewConnID:
			c.ids.settleNew(r.ID, p.Number, f)
		case recRetireConnID:
			c.ids.settleRetire(r.ID, p.Number, f)
		case recHandshakeDone:
			c.control.handshakeDone.settle(p.Number, f)
		case recMTUProbe:
			c.mtu.settle(int32(r.ID), f)
			c.sizeChanged()
		}
	}
}

// congested tells the congestion controller of packets found lost at once.
func (c *Conn) congested(now monotime.Time, loss *recovery.Loss) {
	if loss.Bytes > 0 {
		c.cc.OnLost(now, loss.Bytes, loss.LargestSentAt)
	}
	if loss.Persistent {
		c.cc.OnPersistentCongestion(now)
	}
}

// handleLossDeadline runs when packets count as lost or a probe is due.
func (c *Conn) handleLossDeadline(now monotime.Time) {
	loss, probe, id := c.loss.OnDeadline(now, c.lossLimits())
	c.congested(now, &loss)
	if !probe {
		return
	}
	c.counters.ProbeTimeouts++
	c.noticeSilence()
	space := c.numberSpace(id)
	if space == nil {
		return
	}
	if c.loss.PTOCount() >= blackHoleAfter && c.mtu.current > minDatagramSize {
		c.mtu.blackHole()
		c.sizeChanged()
	}
	// RFC 9002, Section 6.2.4: one or two packets, with what is oldest.
	space.probes = maxProbes
	c.resendOldest(id, maxProbes)
	// The same section: in the same datagrams, what is oldest of the other spaces.
	for other := range wire.Space(wire.NumSpaces) {
		if c.hs != nil && other != id && c.numberSpace(other) != nil && c.canSeal(other) && c.resendOldest(other, 1) {
			c.numberSpace(other).probes = maxProbes
		}
	}
}

// maxProbes is how many packets a probe timeout sends (RFC 9002, Section 6.2.4).
const maxProbes = 2

// resendOldest lets what the n oldest packets of a space carried be sent again,
// whose fate stays open. It reports whether there are any.
func (c *Conn) resendOldest(id wire.Space, n int) (any bool) {
	c.loss.Oldest(id, n, func(p *recovery.Sent) bool {
		if !repeatable(p) {
			return false
		}
		c.settle(id, p, lost)
		any = true
		return true
	})
	return any
}

// repeatable reports whether a packet carried anything that is sent again when it
// is lost: PING and what comes with it is not.
func repeatable(p *recovery.Sent) bool {
	for i := range p.Frames {
		if k := p.Frames[i].Kind; k != recAck && k != recMTUProbe {
			return true
		}
	}
	return false
}
