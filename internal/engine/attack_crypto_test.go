package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// levels are the stages of a handshake at which CRYPTO frames may come, with
// what brings a puppet there.
var levels = []struct {
	name  string
	space wire.Space
	reach func(*puppet)
}{
	{"Initial", wire.InitialSpace, func(p *puppet) { p.start() }},
	{"Handshake", wire.HandshakeSpace, func(p *puppet) { p.reachHandshake() }},
	{"1-RTT", wire.AppSpace, func(p *puppet) { p.handshake() }},
}

// reachHandshake sends the puppet's Initial flight: then both sides have
// Handshake keys.
func (p *puppet) reachHandshake() {
	p.t.Helper()
	p.start()
	s := &p.spaces[wire.InitialSpace]
	p.send(wire.InitialSpace, crypto(0, s.toSend))
	s.cryptoOut, s.toSend = uint64(len(s.toSend)), nil
}

// Attack: CRYPTO buffering. Handshake bytes far ahead of those expected are
// refused at every level, before and after the handshake, in both roles.
func TestAttackCryptoBytes(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
		at := uint64(engine.MaxCryptoBuffer)
		p.send(space, crypto(at+p.spaces[space].cryptoOut, []byte{1}))
		p.wantClose(wire.CryptoBufferExceeded)
		p.wantForgotten()
	})
}

// Attack: CRYPTO buffering, all bytes but the first, as slowly as one likes.
func TestAttackCryptoHoard(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
		base := p.spaces[space].cryptoOut
		piece := make([]byte, 1000)
		for off := uint64(1); p.conn == nil || p.conn.Closed() == nil; off += uint64(len(piece)) {
			if off > 2*engine.MaxCryptoBuffer {
				t.Fatal("no end")
			}
			p.send(space, crypto(base+off, piece))
			if n := p.conn.Held().CryptoBytes; n > engine.MaxCryptoBuffer {
				t.Fatalf("%d bytes are kept", n)
			}
		}
		p.wantClose(wire.CryptoBufferExceeded)
	})
}

// Attack: CRYPTO fragments. Every other byte makes gaps that are bounded in
// number.
func TestAttackCryptoFragments(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
		base := p.spaces[space].cryptoOut
		var gaps []frame
		for i := range uint64(engine.MaxCryptoGaps + 1) {
			gaps = append(gaps, crypto(base+1+2*i, []byte{1}))
		}
		p.send(space, gaps[:engine.MaxCryptoGaps]...)
		p.wantOpen()
		p.send(space, gaps[engine.MaxCryptoGaps])
		p.wantClose(wire.CryptoBufferExceeded)
	})
}

// Attack: CRYPTO frames whose end does not fit into 62 bits, or whose length
// is longer than the packet.
func TestAttackCryptoOverflow(t *testing.T) {
	huge := wire.AppendVarint(nil, wire.MaxVarint)
	for name, f := range map[string]frame{
		"offset": append(append(frame{byte(wire.FrameCrypto)}, huge...), 1, 0),
		"length": append(append(frame{byte(wire.FrameCrypto), 0}, huge...), 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
				p.send(space, f)
				p.wantClose(wire.FrameEncodingError)
			})
		})
	}
}

// Handshake bytes that come twice, overlapping and backwards are one stream.
func TestCryptoReassembly(t *testing.T) {
	p := newServer(t)
	p.start()
	s := &p.spaces[wire.InitialSpace]
	hello := s.toSend
	s.toSend = nil
	for off := len(hello) - 1; off >= 0; off -= 7 {
		p.send(wire.InitialSpace, crypto(uint64(off), hello[off:min(len(hello), off+12)]))
	}
	p.send(wire.InitialSpace, crypto(0, hello[:20]))
	s.cryptoOut = uint64(len(hello))
	p.flush()
	if !p.established() {
		t.Fatalf("the handshake is not complete: %v", p.conn.Closed())
	}
}

// forEachLevel runs a test with fresh puppets at every level in both roles.
func forEachLevel(t *testing.T, test func(*testing.T, *puppet, wire.Space)) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		for _, l := range levels {
			t.Run(side.String()+" "+l.name, func(t *testing.T) {
				p := newRole(t, side)
				l.reach(p)
				test(t, p, l.space)
			})
		}
	}
}

// Attack: CRYPTO buffering after the handshake, when clients have nothing to say:
// what a server keeps of it for the connection's life is little.
func TestAttackLateCrypto(t *testing.T) {
	p := newServer(t)
	p.handshake()
	at := p.spaces[wire.AppSpace].cryptoOut + engine.MaxLateCryptoBuffer
	p.send(wire.AppSpace, crypto(at-1, []byte{1}))
	p.wantOpen()
	if n := p.conn.Held().CryptoBytes; n > engine.MaxLateCryptoBuffer {
		t.Fatalf("%d bytes are kept", n)
	}
	p.send(wire.AppSpace, crypto(at, []byte{1}))
	p.wantClose(wire.CryptoBufferExceeded)
}

// Attack: an Initial packet that comes again when its handshake is confirmed does not
// begin another one.
func TestAttackReplayedHello(t *testing.T) {
	p := newServer(t)
	p.start()
	hello := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	s := &p.spaces[wire.InitialSpace]
	s.cryptoOut, s.toSend = uint64(len(s.toSend)), nil
	p.raw(hello)
	for range 4 {
		p.flush()
	}
	if !p.established() {
		t.Fatal("no handshake")
	}
	for range 10 {
		p.raw(hello)
	}
	if got := p.endpoint.Stats(); got.Accepted != 1 || p.endpoint.Conns() != 1 {
		t.Fatalf("%d handshakes were begun, %d connections are there", got.Accepted, p.endpoint.Conns())
	}
	p.advance(engine.OriginalLifetime)
	p.raw(hello) // by now it is one as good as any
	if got := p.endpoint.Stats().Accepted; got != 2 {
		t.Fatalf("%d handshakes were begun", got)
	}
}

// Handshake bytes of 4096 are taken though one before them is missing, at every level
// (RFC 9000, Section 7.5).
func TestCryptoOutOfOrder(t *testing.T) {
	forEachLevel(t, func(t *testing.T, p *puppet, space wire.Space) {
		base := p.spaces[space].cryptoOut + 1
		for off := uint64(0); off < 4096; off += 1024 {
			p.send(space, crypto(base+off, make([]byte, 1024)))
		}
		p.wantOpen()
		if n := p.conn.Held().CryptoBytes; n < 4096 {
			t.Fatalf("%d bytes are kept", n)
		}
	})
}
