package engine_test

import (
	"bytes"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// puppetPNLen is the length of the puppet's packet numbers: the longest, so
// that tests may skip as many as they like.
const puppetPNLen = 4

// packet seals one packet with these frames under the next number.
func (p *puppet) packet(space wire.Space, frames ...frame) []byte {
	s := &p.spaces[space]
	s.next++
	return p.packetNumbered(space, s.next-1, frames...)
}

// packetNumbered seals a packet under a number of the test's choice.
func (p *puppet) packetNumbered(space wire.Space, pn wire.PacketNumber, frames ...frame) []byte {
	b := make([]byte, 0, 2048)
	if space == wire.AppSpace {
		b = wire.AppendShortHeader(b, &p.remote, false, p.keys.KeyPhase(), pn, puppetPNLen)
		at := len(b) - puppetPNLen
		b = appendPayload(b, frames)
		return p.keys.Seal(b, at, puppetPNLen, pn)
	}
	kind := wire.InitialPacket
	if space == wire.HandshakeSpace {
		kind = wire.HandshakePacket
	}
	b, lengthAt := wire.AppendLongHeader(b, kind, p.version, &p.remote, &p.local, p.token, pn, puppetPNLen)
	at := len(b) - puppetPNLen
	b = appendPayload(b, frames)
	if pad := 1200 - protect.Overhead - len(b); pad > 0 && space == wire.InitialSpace {
		b = wire.AppendPadding(b, pad) // RFC 9000, Section 14.1
	}
	wire.PutLength(b, lengthAt, len(b)-at+protect.Overhead)
	return p.sealers[space].Seal(b, at, puppetPNLen, pn)
}

// earlyPacket seals a 0-RTT packet with these frames.
func (p *puppet) earlyPacket(frames ...frame) []byte {
	s := &p.spaces[wire.AppSpace]
	s.next++
	b, lengthAt := wire.AppendLongHeader(nil, wire.ZeroRTTPacket, p.version, &p.remote, &p.local, nil, s.next-1, puppetPNLen)
	at := len(b) - puppetPNLen
	b = appendPayload(b, frames)
	wire.PutLength(b, lengthAt, len(b)-at+protect.Overhead)
	return p.earlySealer.Seal(append(make([]byte, 0, 2048), b...), at, puppetPNLen, s.next-1)
}

func appendPayload(b []byte, frames []frame) []byte {
	for _, f := range frames {
		b = append(b, f...)
	}
	return b
}

// read takes a datagram of the connection apart.
func (p *puppet) read(data []byte, to netip.AddrPort) {
	p.t.Helper()
	size := len(data)
	first, _ := wire.ParseInvariant(data, p.local.Len())
	for len(data) > 0 {
		if next, _ := wire.ParseInvariant(data, p.local.Len()); !bytes.Equal(next.DstID, first.DstID) {
			p.fatal("packets to %x and %x share a datagram", first.DstID, next.DstID) // RFC 9000, Section 12.2
		}
		if data[0]&0x80 == 0 {
			p.readShort(data, size, to)
			return
		}
		h, ok := wire.ParseLongHeader(data)
		if !ok {
			p.fatal("the endpoint sent a malformed packet: %x", data)
		}
		p.longDst = append(p.longDst, h.DstID)
		p.readLong(data[:h.PacketLen], &h, size, to)
		data = data[h.PacketLen:]
	}
}

func (p *puppet) readLong(pkt []byte, h *wire.LongHeader, size int, to netip.AddrPort) {
	p.t.Helper()
	space := wire.InitialSpace
	switch h.Type {
	case wire.InitialPacket:
		p.clientToken = h.Token
		if p.side == wire.ServerSide && !p.openers[wire.InitialSpace].Valid() {
			p.original = h.DstID
			p.initialKeys(h.DstID)
		}
	case wire.HandshakePacket:
		space = wire.HandshakeSpace
	case wire.ZeroRTTPacket:
		p.readEarly(pkt, h, size, to)
		return
	default:
		p.fatal("the connection sent a %v packet", h.Type)
	}
	p.remote = h.SrcID
	opener := &p.openers[space]
	if h.Version != p.version { // one side has changed it, and the other has not yet
		if space != wire.InitialSpace {
			p.fatal("a %v packet of %v", h.Type, h.Version)
		}
		_, other := protect.NewInitial(h.Version, p.initialDst.Bytes(), p.side)
		opener = &other
	}
	p.versions = append(p.versions, h.Version)
	payload, pn, err := opener.Open(pkt, h.PNOffset, p.largest(space))
	if err != nil {
		p.fatal("the endpoint's %v packet does not open: %v", h.Type, err)
	}
	p.readFrames(h.Type, space, pn, payload, size, to)
}

// readEarly reads a client's 0-RTT packet, if the puppet has the key by now.
func (p *puppet) readEarly(pkt []byte, h *wire.LongHeader, size int, to netip.AddrPort) {
	p.t.Helper()
	p.early++
	if !p.earlyOpener.Valid() {
		return
	}
	payload, pn, err := p.earlyOpener.Open(pkt, h.PNOffset, p.largest(wire.AppSpace))
	if err != nil {
		p.fatal("the endpoint's %v packet does not open: %v", h.Type, err)
	}
	p.readFrames(h.Type, wire.AppSpace, pn, payload, size, to)
}

func (p *puppet) readShort(pkt []byte, size int, to netip.AddrPort) {
	p.t.Helper()
	p.dst = string(pkt[1:][:p.local.Len()])
	payload, pn, _, err := p.keys.Open(pkt, 1+p.local.Len(), p.largest(wire.AppSpace))
	if err != nil {
		if p.deaf {
			return
		}
		p.fatal("the endpoint's 1-RTT packet does not open: %v", err)
	}
	if p.ecn == ect0 {
		p.marked++
	}
	p.readFrames(wire.OneRTTPacket, wire.AppSpace, pn, payload, size, to)
}

// readFrames keeps the frames of a packet, and feeds the handshake.
func (p *puppet) readFrames(packet wire.PacketType, space wire.Space, pn wire.PacketNumber, b []byte, size int, to netip.AddrPort) {
	p.t.Helper()
	s := &p.spaces[space]
	conceal := false
	switch {
	case len(b) == 0:
		p.fatal("the endpoint sent a packet without frames") // RFC 9000, Section 12.4
	case pn <= p.largest(space):
		p.fatal("the endpoint sent packet number %d after %d", pn, p.largest(space)) // RFC 9000, Section 12.3
	}
	for len(b) > 0 {
		f, n := splitFrame(b)
		if n < 0 {
			p.fatal("the endpoint sent a malformed frame: %x", b)
		}
		b = b[n:]
		if !wire.AllowedIn(f.kind(), packet) {
			p.fatal("the endpoint sent %v in a packet that must not have it: %v", f, packet)
		}
		switch f.kind() {
		case wire.FrameHandshakeDone:
			if p.side == wire.ServerSide {
				p.fatal("a client sent %v", f) // RFC 9000, Section 19.20
			}
		case wire.FrameCrypto:
			p.readCrypto(space, f)
		case wire.FrameNewToken:
			if p.side == wire.ServerSide {
				p.fatal("a client sent %v", f) // RFC 9000, Section 19.7
			}
			var t wire.NewToken
			wire.ConsumeNewToken(f.body(), &t)
			p.newTokens = append(p.newTokens, t.Token)
		case wire.FrameAck, wire.FrameAckECN:
			s.acked = f.ackRanges()
			if space == wire.AppSpace {
				p.keys.OnAcked(s.acked[0].Largest)
			}
		}
		p.frames = append(p.frames, seenFrame{f, space, to, size, p.dst, p.socket})
		conceal = conceal || p.conceal != nil && p.conceal(f)
	}
	if !conceal {
		s.received = addPacket(s.received, pn)
	}
}

// largest returns the largest number received in a space.
func (p *puppet) largest(space wire.Space) wire.PacketNumber {
	if r := p.spaces[space].received; len(r) > 0 {
		return r[0].Largest
	}
	return wire.NoPacket
}

// addPacket adds a number to descending ranges; the endpoint's numbers rise.
func addPacket(r []wire.PacketRange, pn wire.PacketNumber) []wire.PacketRange {
	if len(r) > 0 && r[0].Largest+1 == pn {
		r[0].Largest = pn
		return r
	}
	return append([]wire.PacketRange{{Smallest: pn, Largest: pn}}, r...)
}

// ackFrame returns an ACK frame for everything received in a space.
func (p *puppet) ackFrame(space wire.Space) frame { return ack(p.spaces[space].received...) }

// ack acknowledges every 1-RTT packet received.
func (p *puppet) ack() {
	p.t.Helper()
	if len(p.spaces[wire.AppSpace].received) > 0 {
		p.send(wire.AppSpace, p.ackFrame(wire.AppSpace))
	}
}

// wasAcked reports whether the endpoint's last ACK frame of a space covers pn.
func (p *puppet) wasAcked(space wire.Space, pn wire.PacketNumber) bool {
	for _, r := range p.spaces[space].acked {
		if r.Smallest <= pn && pn <= r.Largest {
			return true
		}
	}
	return false
}

// next takes the endpoint's next frame, but for those ignored.
func (p *puppet) next() (seenFrame, bool) {
	for len(p.frames) > 0 {
		f := p.frames[0]
		p.frames = p.frames[1:]
		if !p.ignore[f.kind()] {
			return f, true
		}
	}
	return seenFrame{}, false
}

// want demands that the endpoint's next frame be this one.
func (p *puppet) want(want frame) {
	p.t.Helper()
	if f, ok := p.next(); !ok {
		p.fatal("the endpoint is silent, want %v", want)
	} else if !bytes.Equal(f.frame, want) {
		p.fatal("the endpoint sent %v, want %v", f, want)
	}
}

// wantKind demands that the endpoint's next frame be of a type, and returns it.
func (p *puppet) wantKind(t wire.FrameType) seenFrame {
	p.t.Helper()
	f, ok := p.next()
	if !ok {
		p.fatal("the endpoint is silent, want %v", t)
	} else if f.kind() != t {
		p.fatal("the endpoint sent %v, want %v", f, t)
	}
	return f
}

// count takes all frames read and returns how many were of a type.
func (p *puppet) count(t wire.FrameType) (n int) {
	for _, f := range p.frames {
		if f.kind() == t {
			n++
		}
	}
	p.frames = nil
	return n
}

// silence demands that the endpoint say nothing.
func (p *puppet) silence() {
	p.t.Helper()
	if f, ok := p.next(); ok {
		p.fatal("the endpoint sent %v, want silence", f)
	}
}

// wantLongDst demands that packets with long headers went to an ID, and nowhere else, and
// forgets them.
func (p *puppet) wantLongDst(want wire.ConnectionID) {
	p.t.Helper()
	if len(p.longDst) == 0 {
		p.fatal("no packet with a long header was sent")
	}
	for _, id := range p.longDst {
		if id != want {
			p.fatal("a packet goes to %v, want %v", id, want)
		}
	}
	p.longDst = nil
}

// sentUpTo returns how far streams were sent, by all frames that came.
func (p *puppet) sentUpTo() map[wire.StreamID]uint64 {
	ends := make(map[wire.StreamID]uint64)
	for _, f := range p.frames {
		if f.kind().IsStream() {
			s := f.stream()
			ends[s.ID] = max(ends[s.ID], s.Offset+uint64(len(s.Data)))
		}
	}
	return ends
}
