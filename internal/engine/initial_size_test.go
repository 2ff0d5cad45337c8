package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// wantFullInitials demands that the datagrams with these frames in Initial packets were full
// ones, and returns how many frames there are.
func (p *puppet) wantFullInitials(which func(wire.FrameType) bool) (n int) {
	p.t.Helper()
	for _, f := range p.frames {
		if f.space == wire.InitialSpace && which(f.kind()) {
			if n++; f.size < 1200 {
				p.fatal("%v is in a datagram of %d bytes", f, f.size)
			}
		}
	}
	return n
}

// All datagrams of a client's with Initial packets are full, those that only acknowledge and
// those that only probe as well, and those of a server's that ask for an acknowledgment
// (RFC 9000, Sections 8.1 and 14.1).
func TestInitialDatagramSizes(t *testing.T) {
	all := func(wire.FrameType) bool { return true }
	p := newClient(t)
	p.start()
	p.advance(2 * time.Second)
	if p.wantFullInitials(all) < 3 {
		t.Error("a client does not repeat its hello")
	}

	p = newClient(t)
	p.start()
	p.send(wire.InitialSpace, ping(), p.ackFrame(wire.InitialSpace))
	p.advance(3 * time.Second) // nothing is on its way, and the server may not be able to send
	if p.wantFullInitials(func(t wire.FrameType) bool { return t == wire.FramePing }) == 0 {
		t.Error("a client whose Initial packets are acknowledged does not probe")
	}
	p.shakeHands()
	if p.wantFullInitials(all); !p.shook {
		t.Errorf("the handshake does not complete: %v", p.conn.Closed())
	}

	p = newServer(t)
	p.reachHandshake()
	p.advance(2 * time.Second)
	if p.wantFullInitials(wire.FrameType.AckEliciting) < 2 {
		t.Error("a server does not repeat its hello")
	}
}

// smallInitial is an Initial packet of the puppet's that is not padded.
func (p *puppet) smallInitial(frames ...frame) []byte {
	s := &p.spaces[wire.InitialSpace]
	s.next++
	b, lengthAt := wire.AppendLongHeader(make([]byte, 0, 2048), wire.InitialPacket, p.version, &p.remote, &p.local, nil, s.next-1, puppetPNLen)
	at := len(b) - puppetPNLen
	b = appendPayload(b, frames)
	wire.PutLength(b, lengthAt, len(b)-at+protect.Overhead)
	return p.sealers[wire.InitialSpace].Seal(b, at, puppetPNLen, s.next-1)
}

// A server drops Initial packets in datagrams that are not full, and closes nothing for them
// (RFC 9000, Sections 14 and 14.1).
func TestSmallInitials(t *testing.T) {
	p := newServer(t)
	p.start()
	p.raw(p.smallInitial(crypto(0, p.spaces[wire.InitialSpace].toSend)))
	if s := p.endpoint.Stats(); p.conn != nil || s.TooShort != 1 || len(p.answers) != 0 {
		t.Fatalf("%d answers: %+v", len(p.answers), s)
	}
	p.hello()
	p.wantDropped(p.smallInitial(ping(), padding(20)))
	p.handshakeGoesOn()
}

// All that comes for a connection counts for what an address may get that is not validated,
// whether it opens or not (RFC 9000, Section 8.1).
func TestAllBytesCount(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(20_000) })
	p.start()
	p.hello()
	sent := p.sentTo[puppetAddr]
	p.raw(longPacket(wire.Version1, string(p.remote.Bytes()), "puppet-1", 1200))
	if got := p.sentTo[puppetAddr]; got <= sent || got > 3*2*1200 {
		t.Fatalf("%d bytes were sent, and %d when another 1200 had come", sent, got)
	}
}
