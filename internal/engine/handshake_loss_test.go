package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A client that sends its hello again has not got the answer, and gets it again at
// once, a limited number of times (RFC 9002, Section 6.2.3).
func TestRepeatedHello(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(2500) })
	p.start()
	hello := crypto(0, p.spaces[wire.InitialSpace].toSend)
	p.send(wire.InitialSpace, hello)
	if p.count(wire.FrameCrypto) == 0 {
		t.Fatal("no answer")
	}
	for i := range 3 * engine.MaxHurries {
		p.send(wire.InitialSpace, hello)
		if got := p.count(wire.FrameCrypto) > 0; got != (i < engine.MaxHurries) {
			t.Fatalf("repetition %d was answered: %v", i+1, got)
		}
	}
	if got, most := p.sentTo[puppetAddr], 3*1200*(1+3*engine.MaxHurries); got > most {
		t.Fatalf("%d bytes were sent for %d", got, most/3)
	}
}

// A probe timeout in one space sends what is outstanding in the others as well, in
// the same datagrams, and data twice rather than a PING (RFC 9002, Section 6.2.4).
func TestProbesCarryData(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(500) })
	p.start()
	p.send(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	p.frames = nil
	before := p.sent
	p.advance(1100 * time.Millisecond)
	var found [wire.NumSpaces]int
	for _, f := range p.frames {
		switch f.kind() {
		case wire.FrameCrypto:
			found[f.space]++
		case wire.FramePing:
			t.Errorf("a PING in the %v space", f.space)
		}
	}
	if want := [wire.NumSpaces]int{2, 2, 0}; found != want || p.sent-before != 2 {
		t.Fatalf("%v CRYPTO frames by space in %d datagrams, want %v in 2", found, p.sent-before, want)
	}
}

// A client whose address is validated goes on probing until it has all of the
// server's flight, with all its acknowledgments.
func TestClientKeepsProbing(t *testing.T) {
	p := newClient(t)
	p.start()
	hello := p.spaces[wire.InitialSpace].toSend
	p.send(wire.InitialSpace, crypto(0, hello), p.ackFrame(wire.InitialSpace))
	rest := p.spaces[wire.HandshakeSpace].toSend
	p.send(wire.HandshakeSpace, crypto(0, rest[:len(rest)/2])) // and no more
	p.advance(10 * time.Millisecond)
	p.advance(2 * time.Second)
	p.send(wire.HandshakeSpace, p.ackFrame(wire.HandshakeSpace))
	p.spaces[wire.HandshakeSpace].acked = nil
	p.frames = nil
	p.advance(5 * time.Second)
	if p.count(wire.FramePing) == 0 || !p.wasAcked(wire.HandshakeSpace, 0) {
		t.Fatal("the client is silent")
	}
}

// An acknowledgment of a 1-RTT packet confirms the handshake for a client, when
// HANDSHAKE_DONE was lost (RFC 9001, Section 4.1.2).
func TestAckConfirms(t *testing.T) {
	p := newClient(t)
	p.start()
	for range 4 {
		p.flush()
	}
	if !p.established() || !p.conn.Held().Handshake {
		t.Fatal("the handshake is not complete, or confirmed already")
	}
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.WriteLast([]byte("request")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	p.ack()
	if p.conn.Held().Handshake {
		t.Fatal("the handshake is not confirmed")
	}
}
