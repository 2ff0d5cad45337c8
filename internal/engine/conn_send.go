package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// PollTransmit writes what should be sent now into buf: a train of up to
// maxSegments datagrams of equal size, the last of which may be shorter. It
// returns false when there is nothing to send, or nothing may be sent before
// Deadline. buf must have room for at least one datagram of MaxDatagramSize
// bytes.
func (c *Conn) PollTransmit(now monotime.Time, buf []byte, maxSegments int) (Transmit, bool) {
	t, ok := c.poll(now, buf, maxSegments)
	if ok {
		c.traceLeaving(now, &t)
	}
	return t, ok
}

// poll is PollTransmit without a tracer.
func (c *Conn) poll(now monotime.Time, buf []byte, maxSegments int) (Transmit, bool) {
	switch {
	case c.state == stateClosing:
		return c.pollClose(now, buf)
	case c.state > stateClosing:
		return Transmit{}, false
	case c.leaving():
		return c.pollLastWords(now, buf, maxSegments)
	}
	return c.pollOpen(now, buf, maxSegments)
}

// pollLastWords sends what was written before the connection was closed, and then
// CONNECTION_CLOSE.
func (c *Conn) pollLastWords(now monotime.Time, buf []byte, maxSegments int) (Transmit, bool) {
	if c.end.lastWords > 0 {
		if t, ok := c.pollOpen(now, buf, maxSegments); ok {
			c.end.lastWords -= len(t.Data)
			return t, true
		}
	}
	c.leave(now)
	return c.pollClose(now, buf)
}

// pollOpen is PollTransmit of a connection that is not closing.
func (c *Conn) pollOpen(now monotime.Time, buf []byte, maxSegments int) (Transmit, bool) {
	if t, ok := c.pollPath(now, buf); ok {
		return t, true
	}
	if t, ok := c.pollMTUProbe(now, buf); ok {
		return t, true
	}
	t, ok := c.pollTrain(now, buf, maxSegments)
	if !ok && c.idle.quiet {
		c.trim()
	}
	return t, ok
}

// pollTrain fills buf with datagrams for the path in use.
func (c *Conn) pollTrain(now monotime.Time, buf []byte, maxSegments int) (Transmit, bool) {
	p := c.paths.Current
	size := p.MTU.Size()
	c.updatePacer(now)
	out := buf[:0]
	segment := 0
	if c.datagrams != nil {
		c.datagrams.burst.begin(now, c.datagrams.Out.Len())
		defer c.endDatagramTrain(now, c.datagrams.burst.left)
	}
	for n := 0; n < maxSegments && len(buf)-len(out) >= size; n++ {
		if p.Allowance() < uint64(size) {
			break // RFC 9000, Section 8.1
		}
		grown := c.appendDatagram(now, out, size, n > 0)
		length := len(grown) - len(out)
		if length == 0 {
			break
		}
		c.sentDatagram(p, length)
		out = grown
		if n == 0 {
			segment = length
			if length < size && c.datagramFits(length) {
				size = length // DATAGRAM frames that are alike make a train, too
			}
		}
		if length < size {
			break // a train's last datagram may be shorter
		}
		if c.mtuProbe(now, buf) > 0 {
			break // before the window is full
		}
	}
	c.sealTrain(out)
	if p.Underused && !p.Full() {
		p.LimitApp()
	}
	c.flow.publish(p.Window())
	if len(out) == 0 {
		return Transmit{}, false
	}
	return Transmit{Data: out, Segment: segment, Path: p.Addrs, ECN: p.Mark()}, true
}

// sentDatagram counts a datagram that leaves on a path.
func (c *Conn) sentDatagram(p *path.Path, length int) {
	c.counters.SentBytes += uint64(length)
	p.Sent(length)
}

// transmit sends a single datagram on a path.
func (c *Conn) transmit(p *path.Path, data []byte) Transmit {
	c.sealTrain(data)
	c.sentDatagram(p, len(data))
	return Transmit{Data: data, Segment: len(data), Path: p.Addrs, ECN: p.Mark()}
}

// appendDatagram appends one datagram of up to size bytes to dst: the packets
// of all spaces that have something to say, coalesced (RFC 9000, Section 12.2). inTrain
// says that it follows others of that size.
func (c *Conn) appendDatagram(now monotime.Time, dst []byte, size int, inTrain bool) []byte {
	start := len(dst)
	limit := start + size
	var w frameWriter
	if c.confirmed() {
		if !c.appendPacket(now, &w, wire.OneRTTLevel, dst, limit) {
			return dst
		}
		if inTrain {
			c.padForTrain(&w)
		}
		return c.finish(now, &w)
	}
	// A packet is finished only when it is known whether another one follows
	// it: padding goes into the last one.
	pending, padTo := false, 0
	for level := range wire.Level(wire.NumLevels) {
		var next frameWriter
		from := dst
		if pending {
			w.fillSample() // while what follows has not begun
			from = w.b[:len(w.b)+protect.Overhead]
		}
		if !c.canSeal(level) || !c.appendPacket(now, &next, level, from, limit) {
			continue
		}
		if pending {
			c.finish(now, &w)
		}
		w, pending = next, true
		if level == wire.InitialLevel && (c.side == wire.ClientSide || w.sent.AckEliciting) {
			padTo = start + minDatagramSize // Section 14.1
		}
	}
	if !pending {
		return dst
	}
	w.pad(padTo - protect.Overhead - len(w.b))
	return c.finish(now, &w)
}

// appendPacket builds a packet of a level with the frames that its space has to send.
// It returns false, and nothing happened, when there are none.
func (c *Conn) appendPacket(now monotime.Time, w *frameWriter, level wire.Level, dst []byte, limit int) bool {
	id := level.Space()
	space := c.numberSpace(id)
	if space.sent.Full(c.config.maxUnacked()) {
		return false
	}
	if id == wire.AppSpace {
		space.skipNumber(c)
	}
	if !c.begin(w, c.paths.Current, level, dst, limit) {
		return false
	}
	ackDue := space.received.urgent
	if ackDue || space.received.unacked > 0 || space.probes > 0 {
		// With a probe all of it once more: what the peer does not react to may be lost.
		c.appendAck(now, w, space)
	}
	ackEnd := len(w.b)
	if space.probes > 0 || !w.path.Full() || id != wire.AppSpace {
		// The handshake's few bytes do not wait for the window: 1-RTT packets
		// that fill it cannot be acknowledged before the handshake is complete.
		c.appendFrames(now, w, space)
		if space.probes > 0 {
			space.probes--
			if !w.sent.AckEliciting && c.resendOldest(now, id, maxProbes) {
				c.appendFrames(now, w, space) // RFC 9002, Section 6.2.4: data once more rather than PING
			}
			c.appendPing(w)
		}
	} else {
		w.path.Underused = false
	}
	if w.empty() || len(w.b) == ackEnd && !ackDue {
		space.sent.Cancel()
		return false
	}
	if ackEnd > w.payload {
		c.ackSent(space, id)
	}
	c.appendKeepInformed(w, space)
	return true
}

// appendPing makes a packet ack-eliciting.
func (c *Conn) appendPing(w *frameWriter) {
	if !w.sent.AckEliciting && w.room() > 0 {
		w.b = wire.AppendPing(w.b)
		w.sent.AckEliciting = true
	}
}

// pingEvery is the number of packets without ack-eliciting frames after which
// one gets a PING, so that the peer acknowledges our ACKs and both sides can
// forget old ones (RFC 9000, Section 13.2.4).
const pingEvery = 16

func (c *Conn) appendKeepInformed(w *frameWriter, space *numberSpace) {
	if w.sent.AckEliciting {
		space.quiet = 0
		return
	}
	if space.quiet++; space.quiet >= pingEvery && w.space == wire.AppSpace {
		space.quiet = 0
		c.appendPing(w)
	}
}

// finish seals a packet, or leaves that to sealTrain, and records it as sent.
func (c *Conn) finish(now monotime.Time, w *frameWriter) []byte {
	w.fillSample()
	if w.lengthAt > 0 {
		wire.PutLength(w.b, w.lengthAt, len(w.b)-w.pnAt+protect.Overhead)
	}
	size := len(w.b) - w.start + protect.Overhead
	c.traceSent(now, w, size)
	pnOffset := w.pnAt - w.start
	if w.level != wire.OneRTTLevel {
		pkt := c.hs.keys[w.level].sealer.Seal(w.b[w.start:], pnOffset, w.pnLen, w.pn)
		c.recordSent(now, w, size)
		return w.b[:w.start+len(pkt)]
	}
	b := c.keys.SealLater(&c.endpoint.train, w.b, w.start, pnOffset, w.pnLen, w.pn)
	c.recordSent(now, w, size)
	if c.keys.NeedsUpdate() {
		c.sealTrain(b)
		c.limitKey(now)
	}
	return b
}

// sealTrain seals the packets that finish left, the last of which ends b.
func (c *Conn) sealTrain(b []byte) { c.keys.SealTrain(&c.endpoint.train, b) }

func (c *Conn) recordSent(now monotime.Time, w *frameWriter, size int) {
	c.counters.SentPackets++
	p := w.sent
	p.SentAt = now
	p.Underused = w.path.Underused
	p.Path = w.path.ID
	if p.AckEliciting || w.padded {
		p.Bytes = uint16(size)
		if w.path.Controller != nil {
			sent := &c.endpoint.spare.feedback.sent
			*sent = congestion.Sent{
				Now: time.Duration(now), Bytes: size, InFlight: w.path.InFlight(), AppLimited: w.path.AppLimited(),
			}
			w.path.Controller.OnSent(sent)
		}
		w.path.Pacer.OnSent(now, size)
	}
	if w.space == wire.AppSpace && w.path.Mark() == path.ECT0 {
		p.Marked = true
		c.ecn.sent++
	}
	c.loss.OnSent(w.space, p)
	if p.AckEliciting {
		c.idle.sent(c, now)
	}
	if w.space == wire.HandshakeSpace && c.side == wire.ClientSide {
		c.discardSpace(now, wire.InitialSpace) // RFC 9001, Section 4.9.1
	}
}

// Packet numbers are skipped now and then to catch peers that acknowledge
// what they did not receive (RFC 9000, Section 21.4). The gap grows with the
// number, so that a fast connection does not spend more on it.
const (
	firstSkip   = 32
	minSkipStep = 64
)

func (s *numberSpace) skipNumber(c *Conn) {
	next := s.sent.Next()
	if next < s.skipAt {
		return
	}
	s.skipAt = next + minSkipStep + wire.PacketNumber(c.endpoint.rand.Uint64N(uint64(next)+1))
	if next > firstSkip {
		s.sent.Skip()
	}
}
