package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// A client sends to one ID of its invention until it knows the server's, which is that of the
// server's first packet: what says another one later is dropped (RFC 9000, Section 7.2).
func TestClientDestinationIDs(t *testing.T) {
	p := newClient(t)
	p.start()
	p.advance(4 * time.Second) // with probes
	if p.original.Len() < 8 || len(p.longDst) < 3 {
		t.Fatalf("%d packets to %v", len(p.longDst), p.original)
	}
	p.wantLongDst(p.original)

	p.send(wire.InitialSpace, ping())
	p.wantLongDst(p.local)
	own, other := p.local, connID("puppet-2")
	p.local = other
	p.wantDropped(p.packet(wire.InitialSpace, ping()))
	p.local = own

	s := &p.spaces[wire.InitialSpace]
	p.send(wire.InitialSpace, crypto(0, s.toSend))
	s.cryptoOut, s.toSend = uint64(len(s.toSend)), nil
	p.local = other
	p.wantDropped(p.packet(wire.HandshakeSpace, ping()))
	p.local = own
	p.handshakeGoesOn()
	p.wantLongDst(own)
}

// A server sends to the ID of the client's first packet, and drops Initial packets with
// another one (RFC 9000, Section 7.2).
func TestServerDestinationID(t *testing.T) {
	p := newServer(t)
	p.start()
	p.hello()
	p.wantLongDst(p.local)
	own := p.local
	p.local = connID("puppet-2")
	p.wantDropped(p.packet(wire.InitialSpace, ping()))
	p.local = own
	p.handshakeGoesOn()
	p.wantForgotten()
}

// After a Retry a client's packets go to the ID that it brought, and nothing else is other
// than before: its own ID, its hello, and the row of packet numbers (RFC 9000, Sections
// 17.2.5.2 and 17.2.5.3).
func TestRetryChangesOnlyDestination(t *testing.T) {
	p := newClient(t)
	p.start()
	hello := p.wantKind(wire.FrameCrypto)
	own, last := p.remote, p.largest(wire.InitialSpace)
	id := connID("retry-id")
	p.initialKeys(id)
	p.longDst = nil
	p.raw(retryTo(p, id, "token"))
	p.want(hello.frame)
	p.wantLongDst(id)
	if p.remote != own {
		t.Errorf("the client's ID is %v, was %v", p.remote, own)
	}
	if got := p.largest(wire.InitialSpace); got <= last {
		t.Errorf("packet number %d follows %d", got, last)
	}
}

// A server must say from which ID its Retry came (RFC 9000, Section 7.3). The token that it
// brought is not kept for other connections (Section 8.1.3).
func TestRetrySourceID(t *testing.T) {
	id := connID("retry-id")
	for _, tt := range []struct {
		name string
		says wire.OptionalID
		err  wire.ErrorCode
	}{
		{"as it was", wire.SomeID(id), 0},
		{"nothing", wire.OptionalID{}, wire.TransportParameterError},
		{"another", wire.SomeID(connID("another!")), wire.TransportParameterError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newClient(t, func(p *puppet) {
				p.editTP = func(tp *wire.TransportParameters) { tp.RetrySrcID = tt.says }
				p.config.KeepToken = func(_ wire.Version, token []byte) { t.Errorf("token %q is kept", token) }
			})
			p.start()
			p.initialKeys(id)
			p.raw(retryTo(p, id, "token"))
			for range 4 {
				if p.flush(); p.conn.Closed() != nil {
					break
				}
			}
			if tt.err != 0 {
				p.wantClosedWith(tt.err)
				p.wantForgotten()
			} else if !p.shook || !p.established() {
				t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
			}
		})
	}
}

// HANDSHAKE_DONE is sent when the handshake is complete, and not before, and again until it is
// acknowledged (RFC 9000, Sections 13.3 and 19.20).
func TestHandshakeDoneRepeated(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	if n := p.count(wire.FrameHandshakeDone); n != 0 {
		t.Fatalf("%d times before the handshake is complete", n)
	}
	p.flush()
	if n := p.count(wire.FrameHandshakeDone); n != 1 || !p.established() {
		t.Fatalf("%d times when the handshake is complete", n)
	}
	p.advance(3 * time.Second)
	if n := p.count(wire.FrameHandshakeDone); n == 0 {
		t.Fatal("not repeated")
	}
	p.ack()
	p.advance(time.Second)
	p.frames = nil
	p.advance(10 * time.Second)
	if n := p.count(wire.FrameHandshakeDone); n != 0 {
		t.Fatalf("%d times after it was acknowledged", n)
	}
}
