package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// appendAck writes an ACK frame with what arrived in a space.
func (c *Conn) appendAck(now monotime.Time, w *frameWriter, space *numberSpace) {
	r := &space.received
	if len(r.ranges) == 0 {
		return
	}
	var delay uint64
	if w.space == wire.AppSpace {
		delay = uint64(now.Sub(r.largestAt)/time.Microsecond) >> wire.DefaultAckDelayExponent
	}
	before := len(w.b)
	w.b = wire.AppendAck(w.b, w.room(), delay, r.ranges, r.ecn())
	if len(w.b) == before {
		return
	}
	w.record(recAck, uint64(r.ranges[0].Largest))
}

// ackSent tells that the packet with the ACK frame really goes out.
func (c *Conn) ackSent(space *numberSpace, id wire.Space) {
	space.received.sent()
	if id == wire.AppSpace {
		c.deadlines[slotAck] = 0
	}
}

// appendFrames writes the frames of a space other than ACK, as far as there is
// room.
func (c *Conn) appendFrames(now monotime.Time, w *frameWriter, space *numberSpace) {
	if w.space != wire.AppSpace {
		c.appendCrypto(w, space)
		return
	}
	c.appendControl(w)
	c.appendCrypto(w, space)
	c.appendNewToken(now, w)
	if !c.speaks() {
		return
	}
	c.ids.append(c, w)
	c.flow.append(w)
	c.streams.appendLimits(w)
	c.appendLastWords(w)
	c.appendStreamControl(w)
	c.appendDatagrams(w)
	c.appendStreams(now, w)
}

func (c *Conn) appendControl(w *frameWriter) {
	if c.handshakeDone.due() && w.room() > 0 {
		w.b = wire.AppendHandshakeDone(w.b)
		w.record(recHandshakeDone, 0)
		c.handshakeDone.setSent(w.pn)
	}
	if c.space.ping {
		c.space.ping = false
		c.appendPing(w)
	}
}

// minCryptoPiece is the room below which no CRYPTO frame is begun.
const minCryptoPiece = 32

func (c *Conn) appendCrypto(w *frameWriter, space *numberSpace) {
	for {
		r := space.crypto.pending()
		room := w.room() - wire.SizeCryptoHeader(r.Start, int(r.End-r.Start))
		if r.Start >= r.End || room < minCryptoPiece {
			return
		}
		r.End = min(r.End, r.Start+uint64(room))
		n := int(r.End - r.Start)
		w.b = wire.AppendCryptoHeader(w.b, r.Start, n)
		w.b = append(w.b, space.crypto.bytes(r.Start, n)...)
		space.crypto.sent(r.Start, n)
		w.recordRange(recCrypto, 0, r, false)
	}
}

// append writes MAX_DATA and DATA_BLOCKED.
func (f *connFlow) append(w *frameWriter) {
	if f.update.due() && w.room() >= maxSizeVarintFrame {
		w.b = wire.AppendMaxData(w.b, f.recv.max)
		w.record(recMaxData, 0)
		f.update.setSent(w.pn)
	}
	if f.blocked.due() && w.room() >= maxSizeVarintFrame {
		w.b = wire.AppendDataBlocked(w.b, f.sendMax)
		w.record(recDataBlocked, 0)
		f.blocked.setSent(w.pn)
	}
}

// appendLimits writes MAX_STREAMS and STREAMS_BLOCKED.
func (ss *streams) appendLimits(w *frameWriter) {
	for k := range ss.remote {
		if r := &ss.remote[k]; r.update.due() && w.room() >= maxSizeVarintFrame {
			r.max = r.allowed()
			w.b = wire.AppendMaxStreams(w.b, streamKind(k) == uni, r.max)
			w.record(recMaxStreams, uint64(k))
			r.update.setSent(w.pn)
		}
		if l := &ss.local[k]; l.blocked.due() && w.room() >= maxSizeVarintFrame {
			w.b = wire.AppendStreamsBlocked(w.b, streamKind(k) == uni, l.max)
			w.record(recStreamsBlocked, uint64(k))
			l.blocked.setSent(w.pn)
		}
	}
}

// appendLastWords writes the end of a stream of the highest urgency, if all that is
// left of it fits. It comes before the resets of other streams: when it says why they
// are reset, the reader should learn that first.
func (c *Conn) appendLastWords(w *frameWriter) {
	s := c.streams.data[0].head(dataQueue)
	if s == nil {
		return
	}
	r, fin, ok := s.out.chunk(c.flow.credit())
	if size := int(r.End - r.Start); ok && fin && wire.SizeStreamHeader(s.ID, r.Start, size)+size <= w.room() {
		c.appendStream(w, s, r, fin)
	}
}

// appendStreamControl writes the control frames of streams.
func (c *Conn) appendStreamControl(w *frameWriter) {
	q := &c.streams.control
	for s := q.head(controlQueue); s != nil && w.room() >= maxSizeResetStreamAt; s = q.head(controlQueue) {
		q.pop(controlQueue)
		s.appendControl(w)
	}
}

func (s *Stream) appendControl(w *frameWriter) {
	in, out := s.in, s.out
	switch {
	case s.parked:
		return
	case s.resetReady():
		s.appendReset(w)
	case in.stop != nil && in.stop.val.due():
		w.b = wire.AppendStopSending(w.b, wire.StopSending{ID: s.ID, Code: in.stop.code})
		w.record(recStopSending, uint64(s.ID))
		in.stop.val.setSent(w.pn)
	case in.update.due() && in.state == recvRecv && !in.discard:
		w.b = wire.AppendMaxStreamData(w.b, wire.MaxStreamData{ID: s.ID, Max: in.window.max})
		w.record(recMaxStreamData, uint64(s.ID))
		in.update.setSent(w.pn)
	case out.blocked.due() && out.next < out.wanted():
		w.b = wire.AppendStreamDataBlocked(w.b, wire.StreamDataBlocked{ID: s.ID, Max: out.max})
		w.record(recStreamDataBlocked, uint64(s.ID))
		out.blocked.setSent(w.pn)
	default:
		return
	}
	s.conn.streams.queueControl(s) // there may be another
}

// settleStreamControl takes the fate of a control frame of a stream.
func (c *Conn) settleStreamControl(r *sentFrame, pn wire.PacketNumber, f fate) {
	s := c.streams.get(wire.StreamID(r.ID))
	if s == nil {
		return
	}
	switch r.Kind {
	case recMaxStreamData:
		s.in.update.settle(pn, f)
	case recStreamDataBlocked:
		s.out.blocked.settle(pn, f)
	case recStopSending:
		if s.in.stop != nil {
			s.in.stop.val.settle(pn, f)
		}
	case recResetStream:
		s.out.reset.settle(pn, f)
		if c.checkSent(s); s.done {
			return
		}
	}
	if f == lost {
		c.streams.queueControl(s)
	}
}

// streamQuantum is how much of one stream is sent before the next has its
// turn: several packets, so that a stream's data arrives in long pieces.
const streamQuantum = 16 << 10

// minStreamPiece is the room below which no STREAM frame of more data than
// that is begun: short pieces cost as much to handle as long ones.
const minStreamPiece = 64

// appendStreams writes STREAM frames of the streams that have data, the most
// urgent first.
func (c *Conn) appendStreams(now monotime.Time, w *frameWriter) {
	paced := false
	for u := range c.streams.data {
		if c.streams.nextData(u, c.flow.credit()) == nil {
			continue
		}
		if !paced {
			if paced = c.paced(now); !paced {
				w.path.Underused = false
				return
			}
		}
		if !c.appendUrgency(u, w) {
			w.path.MTU.Want() // the packet was too small for the data that waits
			w.path.Underused = false
			return
		}
	}
	w.path.Underused = true
}

// appendUrgency writes STREAM frames of streams of one urgency, in turns. It
// returns false when the packet is full, and true when none of the streams has
// anything left that may be sent. Streams are only looked at that can send, or are
// taken out of their queue: so a peer that keeps the window shut, and has many
// streams wait for it, does not make each packet dearer.
func (c *Conn) appendUrgency(u int, w *frameWriter) bool {
	for {
		credit := c.flow.credit()
		q := c.streams.nextData(u, credit)
		if q == nil {
			return true
		}
		s := q.head(dataQueue)
		r, fin, ok := s.out.chunk(credit)
		if !ok {
			c.streams.unqueue(s)
			if c.blockedStream(s, credit) {
				c.streams.hold(s)
			}
			continue
		}
		if !c.appendStream(w, s, r, fin) {
			return false
		}
		if s.out.next >= s.out.quantum && !s.sequential {
			s.out.quantum = s.out.next + streamQuantum
			c.streams.unqueue(s)
			c.streams.queueData(s)
		}
	}
}

// blockedStream notes why a stream has nothing to send, and reports whether
// the reason is the connection's limit.
func (c *Conn) blockedStream(s *Stream, credit uint64) bool {
	h := s.out
	if h.next >= h.wanted() {
		return false
	}
	if h.next >= h.max {
		if !h.blocked.isSet() {
			h.blocked.set()
			c.streams.queueControl(s)
		}
		return false
	}
	if credit == 0 && !c.flow.blocked.isSet() {
		c.flow.blocked.set()
	}
	return credit == 0
}

// appendStream writes one STREAM frame with as much of r as fits, and returns
// false when nothing does.
func (c *Conn) appendStream(w *frameWriter, s *Stream, r streambuf.Range, fin bool) bool {
	header := wire.SizeStreamHeader(s.ID, r.Start, w.room())
	room := w.room() - header
	size := r.End - r.Start
	if room < 0 || uint64(room) < min(size, minStreamPiece) {
		return false
	}
	// Without a length the frame reaches to the packet's end.
	explicit := true
	if bare := w.room() - wire.SizeStreamHeader(s.ID, r.Start, 0) + 1; size >= uint64(bare) {
		explicit, room = false, bare
	}
	if size > uint64(room) {
		r.End, fin = r.Start+uint64(room), false
	}
	n := int(r.End - r.Start)
	w.b = wire.AppendStreamHeader(w.b, s.ID, r.Start, n, explicit, fin)
	w.b = s.out.buf.AppendTo(w.b, r.Start, n)
	w.recordRange(recStream, uint64(s.ID), r, fin)
	before := s.out.state
	fresh := s.out.sent(r, fin, w.pn)
	if s.out.state != before {
		s.traceHalf(true)
	}
	if fresh > 0 {
		c.flow.sent += fresh
		if s.out.buf.SetSent(s.out.next) {
			s.writable()
		}
	}
	return true
}
