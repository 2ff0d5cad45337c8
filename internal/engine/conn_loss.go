package engine

import (
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
	recNewToken                                    //
)

// sentFrame is a frame of a sent packet.
type sentFrame = recovery.Frame

// PathState implements recovery.Fates.
func (c *Conn) PathState(id recovery.PathID) *recovery.PathState {
	if e := c.paths.Estimates(id); e != nil {
		return &e.PathState
	}
	return nil
}

// PacketAcked implements recovery.Fates.
func (c *Conn) PacketAcked(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *recovery.Sent) {
	c.settle(now, id, pn, p, acked)
	if e := c.paths.Estimates(p.Path); e != nil {
		c.endpoint.spare.feedback.of(e, int(p.Bytes)).addAcked(pn, p)
	}
}

// PacketLost implements recovery.Fates.
func (c *Conn) PacketLost(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *recovery.Sent) {
	if e := c.paths.Estimates(p.Path); e != nil {
		c.endpoint.spare.feedback.of(e, int(p.Bytes)).addLost(p)
	}
	if p.Congests() {
		c.counters.LostPackets++
		c.counters.LostBytes += uint64(p.Bytes)
	}
	c.traceLost(now, id, pn, p)
	c.settle(now, id, pn, p, lost)
}

// PacketLate implements recovery.Fates.
func (c *Conn) PacketLate(_ monotime.Time, p recovery.LatePacket) {
	if e := c.paths.Estimates(p.Path); e != nil {
		c.endpoint.spare.feedback.of(e, 0).addLate(&p)
	}
}

// settle walks a packet's frames: what arrived is done, what was lost is sent
// again if it still matters (RFC 9000, Section 13.3).
func (c *Conn) settle(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *recovery.Sent, f fate) {
	for i := range p.Frames {
		r := &p.Frames[i]
		switch r.Kind {
		case recStream:
			c.settleStreamData(r, pn, f)
		case recAck:
			if space := c.numberSpace(id); space != nil && f == acked {
				space.received.acknowledged(wire.PacketNumber(r.ID))
			}
		case recCrypto:
			if space := c.numberSpace(id); space != nil {
				space.crypto.settle(r.Offset, int(r.Len), f)
			}
		case recMaxData:
			c.flow.update.settle(pn, f)
		case recDataBlocked:
			c.flow.blocked.settle(pn, f)
		case recMaxStreams:
			c.streams.remote[r.ID].update.settle(pn, f)
		case recStreamsBlocked:
			c.streams.local[r.ID].blocked.settle(pn, f)
		case recMaxStreamData, recStreamDataBlocked, recResetStream, recStopSending:
			c.settleStreamControl(r, pn, f)
		case recNewConnID:
			c.ids.settleNew(r.ID, pn, f)
		case recRetireConnID:
			c.ids.settleRetire(r.ID, pn, f)
		case recHandshakeDone:
			c.handshakeDone.settle(pn, f)
		case recNewToken:
			c.space.tokenDue = c.space.tokenDue || f == lost
		case recMTUProbe:
			c.settleMTUProbe(now, c.paths.Estimates(p.Path), int(r.ID), f)
		}
	}
}

// handleLossDeadline runs when packets count as lost or a probe is due.
func (c *Conn) handleLossDeadline(now monotime.Time) {
	due := c.loss.OnDeadline(now, c.lossLimits())
	c.tellControllers(now, due.Persistent)
	defer c.traceMetrics(now)
	if !due.Probe {
		return
	}
	c.counters.ProbeTimeouts++
	c.noticeSilence(now)
	space := c.numberSpace(due.Space)
	if space == nil {
		return
	}
	if e := c.paths.Current.Estimates; c.loss.PTOCount() >= blackHoleAfter && e.MTU.BlackHole(now) {
		c.sizeChanged(e)
	}
	// RFC 9002, Section 6.2.4: one or two packets, with what is oldest.
	space.probes = maxProbes
	c.resendOldest(now, due.Space, maxProbes)
	// The same section: in the same datagrams, what is oldest of the other spaces.
	for other := range wire.Space(wire.NumSpaces) {
		if other != due.Space && c.canSealIn(other) && c.resendOldest(now, other, 1) {
			c.numberSpace(other).probes = maxProbes
		}
	}
}

// maxProbes is how many packets a probe timeout sends (RFC 9002, Section 6.2.4).
const maxProbes = 2

// resendOldest lets what the n oldest packets of a space carried be sent again,
// whose fate stays open. It reports whether there are any.
func (c *Conn) resendOldest(now monotime.Time, id wire.Space, n int) (any bool) {
	c.loss.Oldest(id, n, func(pn wire.PacketNumber, p *recovery.Sent) bool {
		if !repeatable(p) {
			return false
		}
		c.settle(now, id, pn, p, lost)
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
