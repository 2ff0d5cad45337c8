package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// shortPacket seals a 1-RTT packet whose first byte a test has changed.
func (p *puppet) shortPacket(change func(first byte) byte) []byte {
	s := &p.spaces[wire.AppSpace]
	s.next++
	b := wire.AppendShortHeader(make([]byte, 0, 2048), &p.remote, false, p.keys.KeyPhase(), s.next-1, puppetPNLen)
	b[0] = change(b[0])
	at := len(b) - puppetPNLen
	b = appendPayload(b, []frame{ping(), padding(20)})
	return p.keys.Seal(b, at, puppetPNLen, s.next-1)
}

// A packet whose fixed bit is zero is dropped, though it is authentic (RFC 9000,
// Section 17.3.1).
func TestFixedBit(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.wantDropped(p.shortPacket(func(b byte) byte { return b &^ 0x40 }))
	}
}

// The spin bit is ignored, and never set (RFC 9000, Section 17.4).
func TestSpinBit(t *testing.T) {
	const spin = 0x20
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		for range 4 {
			before := p.conn.Stats().ReceivedPackets
			p.deliver(p.shortPacket(func(b byte) byte { return b | spin }))
			if got := p.conn.Stats().ReceivedPackets; got != before+1 {
				t.Fatalf("%v: a packet with the spin bit is dropped", side)
			}
			for out, ok := p.conn.PollTransmit(p.now, p.buf, 1); ok; out, ok = p.conn.PollTransmit(p.now, p.buf, 1) {
				if out.Data[0]&spin != 0 {
					t.Fatalf("%v: the spin bit is set", side)
				}
			}
		}
		p.wantOpen()
	}
}

// Reserved bits of a long header are looked at when its protection is removed (RFC 9000,
// Section 17.2).
func TestReservedBitsOfLongHeader(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	b, lengthAt := wire.AppendLongHeader(make([]byte, 0, 2048), wire.HandshakePacket, p.version, &p.remote, &p.local, nil, 0, puppetPNLen)
	b[0] |= 0x08
	at := len(b) - puppetPNLen
	b = append(b, padding(20)...)
	wire.PutLength(b, lengthAt, len(b)-at+protect.Overhead)
	p.raw(p.sealers[wire.HandshakeSpace].Seal(b, at, puppetPNLen, 0))
	p.wantClose(wire.ProtocolViolation)
}

// A server's Initial packets have no token: it sends none, and a client drops those that have
// one (RFC 9000, Section 17.2.2).
func TestTokenOfServer(t *testing.T) {
	p := newClient(t)
	p.start()
	p.token = []byte("token")
	p.wantDropped(p.packet(wire.InitialSpace, ping()))
	p.token = nil
	p.handshakeGoesOn()

	p = newServer(t, requireRetry)
	p.retried()
	p.clientToken = []byte("none seen")
	p.handshakeGoesOn()
	if len(p.clientToken) != 0 {
		t.Errorf("a server's Initial packet has token %q", p.clientToken)
	}
}

// A packet that does not open does not keep the next one in the datagram from being handled,
// and acknowledged, and is not acknowledged itself; those of several spaces are acknowledged
// each (RFC 9000, Sections 12.2 and 13.1).
func TestBadPacketBeforeGood(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	bad := p.packet(wire.HandshakeSpace, ping(), padding(20))
	bad[len(bad)-1] ^= 1
	before := p.conn.Stats().ReceivedPackets
	p.raw(append(bad, p.packet(wire.HandshakeSpace, ping(), padding(20))...))
	if got := p.conn.Stats().ReceivedPackets; got != before+1 || p.wasAcked(wire.HandshakeSpace, 0) || !p.wasAcked(wire.HandshakeSpace, 1) {
		t.Errorf("%d packets were taken, acknowledged are %v", got-before, p.spaces[wire.HandshakeSpace].acked)
	}

	p = newClient(t)
	p.start()
	var both []byte
	for _, space := range []wire.Space{wire.InitialSpace, wire.HandshakeSpace} {
		s := &p.spaces[space]
		both = append(both, p.packet(space, crypto(0, s.toSend))...)
		s.cryptoOut, s.toSend = uint64(len(s.toSend)), nil
	}
	p.raw(both)
	if !p.wasAcked(wire.InitialSpace, 0) || !p.wasAcked(wire.HandshakeSpace, 0) || !p.established() {
		t.Errorf("acknowledged are %v and %v", p.spaces[wire.InitialSpace].acked, p.spaces[wire.HandshakeSpace].acked)
	}
}
