package attack

import (
	"bytes"
	"time"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// pnLen is the length of the attackers' packet numbers: the longest, so that
	// packets are of one size and numbers may be left out.
	pnLen = 4
	// maxPayload is how many bytes of frames fit into a 1-RTT packet, which every
	// path takes.
	maxPayload = wire.MinUDPPayloadSize - 1 - 8 - pnLen - protect.Overhead
	// maxAck is how many bytes an ACK frame may have.
	maxAck = 1000
)

// send sends frames in a 1-RTT packet, at once. The bytes are the caller's again.
func (c *conn) send(frames []byte) {
	if c.window > 0 {
		c.awaitWindow()
		c.unacked = append(c.unacked, sentPacket{c.spaces[wire.AppSpace].next, time.Now(), bytes.Clone(frames)})
	}
	c.sendIn(wire.AppSpace, frames)
}

// sendIn sends frames in a packet of a space. Initial packets fill a datagram
// (RFC 9000, Section 14.1).
func (c *conn) sendIn(s wire.Space, frames []byte) {
	c.a.sock.queue(c.from, c.packet(s, frames))
}

// packet seals frames under the next packet number. It is valid until the next.
func (c *conn) packet(s wire.Space, frames []byte) []byte {
	sp := &c.spaces[s]
	pn := sp.next
	sp.next++
	b := c.scratch[:0]
	if s == wire.AppSpace {
		b = wire.AppendShortHeader(b, &c.remote, false, c.keys.KeyPhase(), pn, pnLen)
		at := len(b) - pnLen
		b = append(b, frames...)
		b = c.keys.Seal(b, at, pnLen, pn)
		c.scratch = b
		return b
	}
	kind := wire.InitialPacket
	if s == wire.HandshakeSpace {
		kind = wire.HandshakePacket
	}
	b = appendLong(b, kind, &c.remote, &c.local, c.token, pn, frames, &c.sealers[s])
	c.scratch = b
	return b
}

// appendLong appends a sealed packet with a long header; an Initial packet fills a
// datagram.
func appendLong(b []byte, kind wire.PacketType, remote, local *wire.ConnectionID, token []byte, pn wire.PacketNumber, frames []byte, sealer *protect.Sealer) []byte {
	b, lengthAt := wire.AppendLongHeader(b, kind, wire.Version1, remote, local, token, pn, pnLen)
	at := len(b) - pnLen
	b = append(b, frames...)
	if pad := wire.MinUDPPayloadSize - protect.Overhead - len(b); pad > 0 && kind == wire.InitialPacket {
		b = wire.AppendPadding(b, pad)
	}
	wire.PutLength(b, lengthAt, len(b)-at+protect.Overhead)
	return sealer.Seal(b, at, pnLen, pn)
}

// read takes a datagram of the server's apart.
func (c *conn) read(b []byte) {
	for len(b) > 0 && b[0]&0x80 != 0 {
		h, ok := wire.ParseLongHeader(b)
		if !ok {
			return
		}
		c.readLong(b[:h.PacketLen], &h)
		b = b[h.PacketLen:]
	}
	if len(b) < 1+localIDLen || !c.keys.CanRead() {
		return
	}
	sp := &c.spaces[wire.AppSpace]
	payload, pn, _, err := c.keys.Open(b, 1+localIDLen, sp.largest())
	if err == nil {
		c.readFrames(wire.AppSpace, pn, payload)
	}
}

func (c *conn) readLong(pkt []byte, h *wire.LongHeader) {
	s := wire.InitialSpace
	switch h.Type {
	case wire.RetryPacket:
		c.handleRetry(h)
		return
	case wire.HandshakePacket:
		s = wire.HandshakeSpace
	case wire.InitialPacket:
	default:
		return
	}
	if !c.openers[s].Valid() {
		return
	}
	payload, pn, err := c.openers[s].Open(pkt, h.PNOffset, c.spaces[s].largest())
	if err != nil {
		return
	}
	c.remote = h.SrcID
	c.readFrames(s, pn, payload)
}

func (c *conn) readFrames(s wire.Space, pn wire.PacketNumber, b []byte) {
	c.spaces[s].add(pn)
	for len(b) > 0 {
		t, n := wire.ConsumeFrameType(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if t.AckEliciting() {
			c.spaces[s].owed = true
		}
		if n = c.readFrame(s, t, b); n < 0 {
			return
		}
		if c.onFrame != nil {
			c.onFrame(t, b[:n])
		}
		b = b[n:]
	}
}

// readFrame reads a frame's body, and returns its length, -1 if it is malformed.
func (c *conn) readFrame(s wire.Space, t wire.FrameType, b []byte) (n int) {
	var v uint64
	switch t {
	case wire.FramePadding:
		return wire.ConsumePadding(b)
	case wire.FramePing, wire.FrameHandshakeDone:
		return 0
	case wire.FrameAck, wire.FrameAckECN:
		var f wire.Ack
		if n = wire.ConsumeAck(t, b, &f); n >= 0 && s == wire.AppSpace {
			c.readAck(&f)
		}
		return n
	case wire.FrameCrypto:
		var f wire.Crypto
		if n = wire.ConsumeCrypto(b, &f); n >= 0 {
			c.readCrypto(s, &f)
		}
		return n
	case wire.FrameMaxData:
		n = wire.ConsumeMaxData(b, &v)
		c.maxData = max(c.maxData, v)
		return n
	case wire.FrameMaxStreamData:
		var f wire.MaxStreamData
		if n = wire.ConsumeMaxStreamData(b, &f); n >= 0 {
			c.maxStream[f.ID] = max(c.maxStream[f.ID], f.Max)
		}
		return n
	case wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni:
		n = wire.ConsumeMaxStreams(b, &v)
		kind := &c.maxStreams[t-wire.FrameMaxStreamsBidi]
		*kind = max(*kind, v)
		return n
	case wire.FrameConnectionClose, wire.FrameConnectionCloseApp:
		var f wire.ConnectionClose
		if n = wire.ConsumeConnectionClose(t, b, &f); n >= 0 && c.closed == nil {
			f.Reason = bytes.Clone(f.Reason)
			c.closed = &f
		}
		return n
	}
	if t.IsStream() {
		var f wire.Stream
		if n = wire.ConsumeStream(t, b, &f); n >= 0 && c.onStream != nil {
			c.onStream(&f)
		}
		return n
	}
	return skipFrame(t, b)
}

// skipFrame returns the length of a frame of which nobody wants to know.
func skipFrame(t wire.FrameType, b []byte) int {
	var v uint64
	switch t {
	case wire.FrameResetStream:
		return wire.ConsumeResetStream(b, &wire.ResetStream{})
	case wire.FrameResetStreamAt:
		return wire.ConsumeResetStreamAt(b, &wire.ResetStreamAt{})
	case wire.FrameStopSending:
		return wire.ConsumeStopSending(b, &wire.StopSending{})
	case wire.FrameStreamDataBlocked:
		return wire.ConsumeMaxStreamData(b, &wire.MaxStreamData{})
	case wire.FrameDataBlocked, wire.FrameStreamsBlockedBidi, wire.FrameStreamsBlockedUni, wire.FrameRetireConnectionID:
		return wire.ConsumeMaxData(b, &v)
	case wire.FrameNewToken:
		return wire.ConsumeNewToken(b, &wire.NewToken{})
	case wire.FrameNewConnectionID:
		return wire.ConsumeNewConnectionID(b, &wire.NewConnectionIDFrame{})
	case wire.FramePathChallenge, wire.FramePathResponse:
		return wire.ConsumePathChallenge(b, &wire.PathData{})
	case wire.FrameDatagram, wire.FrameDatagramLen:
		return wire.ConsumeDatagram(t, b, &wire.Datagram{})
	}
	return -1
}

// largest returns the largest number received.
func (sp *space) largest() wire.PacketNumber {
	if len(sp.received) == 0 {
		return wire.NoPacket
	}
	return sp.received[0].Largest
}

// add takes note of a received packet.
func (sp *space) add(pn wire.PacketNumber) {
	r := sp.received
	for i := range r {
		switch {
		case pn >= r[i].Smallest && pn <= r[i].Largest:
			return
		case pn == r[i].Largest+1:
			r[i].Largest = pn
			if i > 0 && r[i-1].Smallest == pn+1 {
				r[i-1].Smallest = r[i].Smallest
				sp.received = append(r[:i], r[i+1:]...)
			}
			return
		case pn == r[i].Smallest-1:
			r[i].Smallest = pn
			if i+1 < len(r) && r[i+1].Largest == pn-1 {
				r[i].Smallest = r[i+1].Smallest
				sp.received = append(r[:i+1], r[i+2:]...)
			}
			return
		case pn > r[i].Largest:
			sp.insert(i, pn)
			return
		}
	}
	sp.insert(len(r), pn)
}

func (sp *space) insert(i int, pn wire.PacketNumber) {
	sp.received = append(sp.received, wire.PacketRange{})
	copy(sp.received[i+1:], sp.received[i:])
	sp.received[i] = wire.PacketRange{Smallest: pn, Largest: pn}
	if len(sp.received) > maxRanges {
		sp.received = sp.received[:maxRanges]
	}
}
