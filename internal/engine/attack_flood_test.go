package engine_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Attack: PADDING-only packets: they ask for nothing, get nothing, and leave
// nothing, in a row or with numbers left out.
func TestAttackPaddingFlood(t *testing.T) {
	for _, step := range []wire.PacketNumber{1, 2} {
		p := newServer(t)
		p.handshake()
		before, sent := p.conn.Held(), p.sent
		for range 5000 {
			p.spaces[wire.AppSpace].next += step - 1
			p.send(wire.AppSpace, padding(1000))
		}
		after := p.conn.Held()
		after.AckRanges, before.AckRanges = 0, 0 // bounded, see TestAttackAckRanges
		if after != before || p.sent != sent {
			t.Fatalf("step %d: %d datagrams were sent; held %+v, before %+v", step, p.sent-sent, after, before)
		}
		p.wantOpen()
	}
}

// Attack: PING floods: packets that come together are acknowledged together,
// and a peer is not sent more than it sent.
func TestAttackPingFlood(t *testing.T) {
	p := newServer(t)
	p.handshake()
	sent, bytes := p.sent, p.sentTo[puppetAddr]
	received := 0
	for range 200 {
		for range 50 {
			b := p.packet(wire.AppSpace, ping())
			received += len(b)
			p.deliver(b)
		}
		p.poll()
	}
	if n := p.sent - sent; n > 200 {
		t.Errorf("%d datagrams answer 200 batches", n)
	}
	if n := p.sentTo[puppetAddr] - bytes; n > received {
		t.Errorf("%d bytes answer %d", n, received)
	}
	p.wantOpen()
}

// Attack: keep-alive by PING of a peer that never says anything else does keep
// the connection, as RFC 9000, Section 10.1.2 wants; nothing grows meanwhile.
func TestAttackPingForever(t *testing.T) {
	p := newServer(t)
	p.handshake()
	before := p.conn.Held()
	for range 1000 {
		p.send(wire.AppSpace, ping(), p.ackFrame(wire.AppSpace))
		p.advance(10 * time.Second)
	}
	p.wantOpen()
	after := p.conn.Held()
	if after.AckRanges > 2 || after.Tracked > 1 || after.Streams != before.Streams || after.Events != 0 {
		t.Fatalf("held %+v, before %+v", after, before)
	}
}

// Attack: malformed, truncated and random datagrams for a running connection:
// they are counted, and neither answered nor kept.
func TestAttackMalformedForConnection(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		random := rand.New(rand.NewPCG(1, 2))
		good := p.packet(wire.AppSpace, ping(), padding(100))
		before, stats, sent := p.conn.Held(), p.conn.Stats(), p.sent
		const each = 1000
		for range each {
			p.raw(good[:1+p.remote.Len()+random.IntN(len(good)-1-p.remote.Len())])
			flipped := bytes.Clone(good)
			flipped[1+p.remote.Len()+random.IntN(len(good)-1-p.remote.Len())] ^= 1 << random.IntN(8)
			p.raw(flipped)
			noise := make([]byte, 1+p.remote.Len()+random.IntN(1400))
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			noise[0] |= 0x40
			if noise[0]&0x80 == 0 {
				copy(noise[1:], p.remote.Bytes())
			}
			p.raw(noise)
		}
		p.wantOpen()
		e, s := p.endpoint.Stats(), p.conn.Stats()
		answered := int(e.VersionsSent + e.ResetsSent) // noise looks like other versions, or lost connections
		if p.conn.Held() != before || p.sent-sent != answered {
			t.Errorf("%v: %d datagrams were sent, %d are explained; held %+v, before %+v", side, p.sent-sent, answered, p.conn.Held(), before)
		}
		if s.ReceivedPackets != stats.ReceivedPackets {
			t.Errorf("%v: %d packets were taken for good", side, s.ReceivedPackets-stats.ReceivedPackets)
		}
		if n := s.Undecryptable - stats.Undecryptable + e.Malformed + e.UnknownID + e.UnknownVersion; n < 3*each*9/10 {
			t.Errorf("%v: only %d of %d were counted: %+v %+v", side, n, 3*each, e, s)
		}
		p.raw(good)
		if p.conn.Stats().ReceivedPackets != stats.ReceivedPackets+1 {
			t.Errorf("%v: the good packet is not taken", side)
		}
	}
}

// Attack: a packet that is authentic and has no frames (RFC 9000, Section
// 12.4), reserved bits set (Section 17), or a malformed frame type.
func TestAttackMalformedPackets(t *testing.T) {
	tests := map[string]struct {
		payload frame
		want    wire.ErrorCode
	}{
		"type not minimal, 2 bytes": {frame{0x40, 0x01}, wire.ProtocolViolation},
		"type not minimal, 8 bytes": {frame{0xc0, 0, 0, 0, 0, 0, 0, 0x01}, wire.ProtocolViolation},
		"type truncated":            {frame{0x80, 0}, wire.FrameEncodingError},
		"unknown type":              {frame{0x21}, wire.FrameEncodingError},
		"unknown type, 2 bytes":     {frame{0x40, 0x40}, wire.FrameEncodingError},
		"largest type":              {bytes.Repeat([]byte{0xff}, 8), wire.FrameEncodingError},
		"MAX_DATA truncated":        {frame{byte(wire.FrameMaxData), 0x80}, wire.FrameEncodingError},
		"RESET_STREAM truncated":    {frame{byte(wire.FrameResetStream), 0, 0}, wire.FrameEncodingError},
		"STREAM longer than packet": {frame{byte(wire.FrameStream | wire.StreamLen), 0, 60, 1, 2}, wire.FrameEncodingError},
		"PATH_CHALLENGE truncated":  {frame{byte(wire.FramePathChallenge), 1, 2, 3}, wire.FrameEncodingError},
		"NEW_TOKEN empty":           {frame{byte(wire.FrameNewToken), 0}, wire.FrameEncodingError},
		"CLOSE reason too long":     {frame{byte(wire.FrameConnectionClose), 0, 0, 60, 1}, wire.FrameEncodingError},
		"good, then truncated":      {append(ping(), byte(wire.FrameMaxData)), wire.FrameEncodingError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
				p := newRole(t, side)
				p.handshake()
				// PADDING before, so that the packet is long enough to be sealed.
				p.send(wire.AppSpace, padding(4), tt.payload)
				p.wantClose(tt.want)
				p.wantForgotten()
			}
		})
	}
}

// Attack: an authentic packet without any frame is a PROTOCOL_VIOLATION
// (RFC 9000, Section 12.4).
func TestAttackEmptyPacket(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace)
	p.wantClose(wire.ProtocolViolation)
}

// Attack: reserved header bits set under header protection (RFC 9000,
// Section 17.2 and 17.3.1).
func TestAttackReservedBits(t *testing.T) {
	p := newServer(t)
	p.handshake()
	pn := p.spaces[wire.AppSpace].next
	b := wire.AppendShortHeader(nil, &p.remote, false, false, pn, puppetPNLen)
	b[0] |= 0x08
	at := len(b) - puppetPNLen
	b = append(b, padding(20)...)
	p.raw(p.keys.Seal(b, at, puppetPNLen, pn))
	p.wantClose(wire.ProtocolViolation)
}

// Attack: a peer that answers CONNECTION_CLOSE with more: it is repeated ever
// less often (RFC 9000, Section 10.2.1), and a draining side is silent.
func TestAttackAfterClose(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.conn.Close(p.now, 7, "enough")
	p.poll()
	p.want(wire.AppendConnectionClose(nil, wire.ConnectionClose{App: true, Code: 7, Reason: []byte("enough")}))
	for range 1000 {
		p.send(wire.AppSpace, stream(0, 0, "but wait", false))
	}
	if n := p.count(wire.FrameConnectionCloseApp); n < 5 || n > 11 {
		t.Fatalf("1000 packets were answered %d times", n)
	}
	p.wantForgotten()

	p = newServer(t)
	p.handshake()
	p.send(wire.AppSpace, appClose(7))
	sent := p.sent
	for range 100 {
		p.send(wire.AppSpace, ping(), connClose(0))
	}
	if p.sent != sent {
		t.Fatalf("a draining connection sent %d datagrams", p.sent-sent)
	}
	p.wantForgotten()
}

// Attack: DATAGRAM frames of no bytes, and more than fit, of a peer whose
// datagrams are taken: the latest are dropped, one event tells of them.
func TestAttackDatagramFlood(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.Datagrams = true; p.params.MaxDatagramFrameSize = 65535 })
	p.handshake()
	var flood []frame
	for i := range 500 {
		flood = append(flood, datagramFrame(""))
		if i%5 == 0 {
			flood = append(flood, datagramFrame(string(binary.BigEndian.AppendUint32(nil, uint32(i)))))
		}
	}
	for range 100 {
		p.queue(wire.AppSpace, flood...)
	}
	if n := p.conn.Held().Events; n != 1 {
		t.Fatalf("%d events wait", n)
	}
	if n, dropped := p.conn.ReceivedDatagrams(), p.conn.DatagramsDropped(); n != engine.MaxReceivedDatagrams || dropped != 100*600-uint64(n) {
		t.Fatalf("%d datagrams wait, %d were dropped", n, dropped)
	}
	if n := len(p.conn.PollDatagrams()); n != engine.MaxReceivedDatagrams || p.conn.ReceivedDatagrams() != 0 {
		t.Fatalf("%d datagrams were polled, %d are left", n, p.conn.ReceivedDatagrams())
	}
	p.poll()
	p.wantOpen()
}

// Attack: a closed connection as amplifier. However little a packet brings that only looks
// like the peer's, all answers together have three times as much at most, and what comes from
// another address gets none (RFC 9000, Section 10.2.1).
func TestClosingAmplification(t *testing.T) {
	for _, moved := range []bool{false, true} {
		p := newServer(t)
		p.handshake()
		received := 0
		if moved {
			p.path.Remote = strangerAddr
			move := p.packet(wire.AppSpace, ping(), padding(40))
			received = len(move)
			p.raw(move)
		}
		p.conn.Close(p.now, 7, string(make([]byte, 500)))
		p.poll()
		before := p.sentTo[puppetAddr]
		junk := append([]byte{0x40}, p.remote.Bytes()...)
		for range 1000 {
			p.raw(junk)
			received += len(junk)
			if got := p.sentTo[p.path.Remote]; moved && got > 3*received || !moved && got-before > 3*received {
				t.Fatalf("moved %v: %d bytes were sent for %d", moved, got, received)
			}
			p.from(churnAddr(1), func() { p.raw(junk) })
			received += len(junk)
		}
		if got := p.sentTo[churnAddr(1)]; got != 0 {
			t.Errorf("%d bytes to an address that is not the peer's", got)
		}
		if !moved && p.sentTo[puppetAddr] == before {
			t.Error("CONNECTION_CLOSE is not repeated")
		}
		p.wantForgotten()
	}
}
