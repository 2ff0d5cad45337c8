package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// A server confirms the handshake with HANDSHAKE_DONE as soon as it is complete (RFC 9001,
// Section 4.1.2).
func TestHandshakeDone(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	if p.established() || p.count(wire.FrameHandshakeDone) != 0 {
		t.Fatal("the handshake is complete without the client's last message")
	}
	p.flush()
	if n := p.count(wire.FrameHandshakeDone); !p.established() || n != 1 {
		t.Fatalf("HANDSHAKE_DONE was sent %d times when the handshake was complete", n)
	}
}

// A client drops its Initial keys with its first Handshake packet, and neither sends nor
// takes Initial packets after that (RFC 9001, Section 4.9.1).
func TestClientDiscardsInitialKeys(t *testing.T) {
	p := newClient(t)
	p.reachHandshake()
	p.send(wire.InitialSpace, ping())
	if last := p.spaces[wire.InitialSpace].next - 1; !p.wasAcked(wire.InitialSpace, last) {
		t.Fatal("an Initial packet is not taken before there was a Handshake packet")
	}
	p.frames = nil
	p.flush()
	sent := 0
	for _, f := range p.frames {
		if f.space == wire.HandshakeSpace {
			sent++
		}
	}
	if sent == 0 {
		t.Fatal("the client has sent no Handshake packet")
	}
	p.frames = nil
	p.send(wire.InitialSpace, ping())
	p.advance(3 * time.Second) // probes
	for _, f := range p.frames {
		if f.space == wire.InitialSpace {
			t.Fatalf("%v was sent in an Initial packet", f)
		}
	}
	p.wantOpen()
}

// A client drops 0-RTT packets, without trying to open them (RFC 9001, Section 5.6).
func TestZeroRTTToClient(t *testing.T) {
	p := newClient(t)
	p.reachHandshake()
	sent, undecryptable := p.sent, p.conn.Stats().Undecryptable
	b := p.packet(wire.HandshakeSpace, ping())
	p.raw(retyped(b, wire.ZeroRTTPacket))
	if n := p.conn.Stats().Undecryptable; p.sent != sent || n != undecryptable {
		t.Errorf("%d datagrams were sent for a 0-RTT packet, and %d packets did not open", p.sent-sent, n-undecryptable)
	}
	p.wantOpen()
}

// Handshake bytes of a level are over when TLS has keys for the next one: it must have taken
// them all by then, and only repetitions may come (RFC 9001, Section 4.1.3).
func TestCryptoOfEndedLevel(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		for name, act := range map[string]func(p *puppet) (bad bool){
			"a repetition": func(p *puppet) bool {
				p.reachHandshake()
				p.send(wire.InitialSpace, crypto(p.spaces[wire.InitialSpace].cryptoOut-1, []byte{1}))
				return false
			},
			"more in Initial packets": func(p *puppet) bool {
				p.reachHandshake()
				p.send(wire.InitialSpace, crypto(p.spaces[wire.InitialSpace].cryptoOut, []byte{1}))
				return true
			},
			"a gap": func(p *puppet) bool {
				p.reachHandshake()
				p.send(wire.InitialSpace, crypto(p.spaces[wire.InitialSpace].cryptoOut+1, []byte{1}))
				return true
			},
		} {
			t.Run(side.String()+", "+name, func(t *testing.T) {
				p := newRole(t, side)
				if !act(p) {
					p.wantOpen()
					return
				}
				p.wantClose(wire.ProtocolViolation)
				p.wantForgotten()
			})
		}
	}
	p := newClient(t)
	p.start()
	hello := p.spaces[wire.InitialSpace].toSend
	p.send(wire.InitialSpace, crypto(uint64(len(hello)+1), []byte{1})) // before the keys
	p.wantOpen()
	p.send(wire.InitialSpace, crypto(0, hello))
	p.wantClose(wire.ProtocolViolation)

	p = newClient(t) // which keeps the Handshake keys until the handshake is confirmed
	p.start()
	for range 4 {
		p.flush()
	}
	if !p.established() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	p.send(wire.HandshakeSpace, crypto(p.spaces[wire.HandshakeSpace].cryptoOut, []byte{1}))
	p.wantClose(wire.ProtocolViolation)
}

// Whatever a client sends in Initial packets, its datagrams are of full size (RFC 9001,
// Section 9.3).
func TestHelloIsPadded(t *testing.T) {
	p := newClient(t)
	p.start()
	p.advance(5 * time.Second) // probes
	hellos := 0
	for _, f := range p.frames {
		if f.size < 1200 {
			t.Errorf("%v in a datagram of %d bytes", f, f.size)
		}
		if f.kind() == wire.FrameCrypto {
			hellos++
		}
	}
	if hellos < 2 {
		t.Errorf("the hello was sent %d times", hellos)
	}
}

// A client that has learned that the server chose another version sends no more 0-RTT packets
// (RFC 9369, Section 4.1).
func TestNoEarlyDataInOtherVersion(t *testing.T) {
	p := newEarlyClient(t, having(v1, v2))
	p.speak(v2, p.original)
	p.send(wire.InitialSpace, p.ackFrame(wire.InitialSpace))
	if v := p.conn.Stats().Version; v != v2 {
		t.Fatalf("the version is %v", v)
	}
	before := p.early
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.WriteLast([]byte("more")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	p.advance(time.Second)
	if p.early != before {
		t.Errorf("%d 0-RTT packets were sent", p.early-before)
	}
}
