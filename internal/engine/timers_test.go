package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// withIdle sets both sides' idle timeouts.
func withIdle(local, peer time.Duration) func(*puppet) {
	return func(p *puppet) { p.config.MaxIdleTimeout, p.params.MaxIdleTimeout = local, peer }
}

// endsAt lets time pass until the connection ends, and returns when it did.
func (p *puppet) endsAt() monotime.Time {
	p.t.Helper()
	for range 1000 {
		if p.conn.Closed() != nil {
			return p.now
		}
		p.advance(p.deadline().Sub(p.now))
	}
	p.fatal("the connection does not end")
	return 0
}

// wantIdleEnd demands that an idle timeout end the connection at a moment, and
// that it be forgotten with that, without a word.
func (p *puppet) wantIdleEnd(at monotime.Time) {
	p.t.Helper()
	sent := p.sent
	end := p.endsAt()
	var idle *engine.IdleTimeoutError
	if !errors.As(p.conn.Closed(), &idle) {
		p.fatal("ended with %v", p.conn.Closed())
	}
	if end != at {
		p.fatal("ended after %v, want %v", end.Sub(puppetStart), at.Sub(puppetStart))
	}
	if p.endpoint.Conns() != 0 {
		p.fatal("the connection is still known")
	}
	if p.sent != sent {
		p.fatal("%d datagrams were sent", p.sent-sent)
	}
}

// The lower of both sides' timeouts counts, 0 being none (RFC 9000,
// Section 10.1), in both roles.
func TestIdleExpires(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		for _, tt := range []struct{ local, peer, want time.Duration }{
			{10 * time.Second, 30 * time.Second, 10 * time.Second},
			{30 * time.Second, 10 * time.Second, 10 * time.Second},
			{20 * time.Second, 0, 20 * time.Second},
		} {
			p := newRole(t, side, withIdle(tt.local, tt.peer))
			p.handshake()
			p.advance(time.Second)
			p.send(wire.AppSpace, padding(20))
			p.wantIdleEnd(p.now.Add(tt.want))
		}
	}
}

// Whatever is received moves the deadline; packets that are not authentic or
// come twice do not.
func TestIdleResumes(t *testing.T) {
	p := newServer(t, withIdle(10*time.Second, 0))
	p.handshake()
	var last []byte
	for _, f := range []frame{ping(), padding(20), maxData(5), p.ackFrame(wire.AppSpace)} {
		p.advance(9900 * time.Millisecond)
		p.wantOpen()
		last = p.packet(wire.AppSpace, f, padding(20))
		p.raw(last)
		p.ack()
	}
	heard := p.now
	p.advance(5 * time.Second)
	p.raw(last)
	last[len(last)-1] ^= 1
	p.raw(last)
	p.raw(longPacket(unknownVersion, string(p.remote.Bytes()), "", 100))
	p.wantIdleEnd(heard.Add(10 * time.Second))
}

// The first ack-eliciting packet sent after one received moves the deadline,
// later ones do not: a peer that is gone is noticed though we go on sending.
func TestIdleWhileSending(t *testing.T) {
	p := newServer(t, withIdle(10*time.Second, 0))
	p.handshake()
	p.advance(4 * time.Second)
	s, err := p.conn.OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	first := p.now
	for range 50 {
		if _, err := s.Send.Write([]byte("is anybody there?")); err != nil {
			t.Fatal(err)
		}
		p.conn.StreamWritten(s)
		p.poll()
		p.advance(100 * time.Millisecond)
	}
	p.wantOpen()
	if end := p.endsAt(); end != first.Add(10*time.Second) {
		t.Fatalf("ended %v after the first packet", end.Sub(first))
	}
	if _, err := s.Send.Write([]byte("x")); !errors.As(err, new(*engine.IdleTimeoutError)) {
		t.Fatalf("the writer is told %v", err)
	}
}

// A timeout shorter than three probe timeouts is stretched to that (RFC 9000,
// Section 10.1), so that a lost packet does not end a connection.
func TestIdleLeavesTimeForProbes(t *testing.T) {
	p := newServer(t, withIdle(time.Millisecond, 0))
	p.handshake()
	p.send(wire.AppSpace, padding(20))
	p.wantIdleEnd(p.now.Add(3 * time.Duration(p.conn.PTO())))
}

// An idle connection wakes its driver to give memory back, and to end.
func TestIdleSleeps(t *testing.T) {
	p := newServer(t)
	p.handshake()
	wakes := 0
	for end := p.now.Add(29 * time.Second); p.deadline().Before(end); wakes++ {
		p.advance(p.deadline().Sub(p.now))
	}
	if wakes > 2 {
		t.Fatalf("woke %d times", wakes)
	}
	p.wantOpen()
}

// Data that nobody acknowledges is sent again at the probe timeout, and after
// twice as long each time, though nothing arrives (RFC 9002, Section 6.2).
func TestProbesOnTime(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.serve(1000)
		end := stream(p.theirs(false, 0), 0, string(make([]byte, 1000)), true)
		p.want(end)
		pto := time.Duration(p.conn.PTO())
		for i := range 8 {
			wait := pto << i
			p.advance(wait - 1)
			p.silence()
			p.advance(1)
			p.want(end)
			p.want(end) // once more rather than a PING
			p.silence()
		}
		if n := p.conn.Stats().ProbeTimeouts; n != 8 {
			t.Fatalf("%v: %d probe timeouts", side, n)
		}
		p.ack()
		p.advance(20 * time.Second)
		p.silence()
		p.wantOpen()
	}
}

// A lost packet is sent again when those after it are acknowledged: at once
// when three are, else when it is overdue (RFC 9002, Section 6.1).
func TestLossOnTime(t *testing.T) {
	const rtt = 40 * time.Millisecond
	for _, after := range []wire.PacketNumber{1, 3} {
		p := newServer(t, func(p *puppet) { p.rtt = rtt })
		p.handshake()
		s, err := p.conn.OpenStream(true)
		if err != nil {
			t.Fatal(err)
		}
		lost := p.largest(wire.AppSpace) + 1
		for i := range 1 + after {
			if _, err := s.Send.Write([]byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
			p.conn.StreamWritten(s)
			p.poll()
			p.wantKind(wire.FrameStream | wire.StreamLen | offsetFlag(i))
		}
		p.advance(rtt)
		p.send(wire.AppSpace, ackOne(lost+1, lost+after))
		if after < 3 {
			p.silence()
			p.advance(rtt/8 - 1) // 9/8 of a round trip after it was sent
			p.silence()
			p.advance(1)
		}
		p.want(stream(s.ID, 0, "\x00", false))
		p.silence()
	}
}

func offsetFlag(i wire.PacketNumber) wire.FrameType {
	if i > 0 {
		return wire.StreamOff
	}
	return 0
}

// A client repeats its first flight, by the initial assumption of the round
// trip, and gives up in time.
func TestHandshakeProbes(t *testing.T) {
	p := newClient(t)
	p.start()
	hello := p.wantKind(wire.FrameCrypto)
	p.advance(999*time.Millisecond - 1) // 3 times 333 ms
	p.silence()
	p.advance(1)
	p.want(hello.frame)
	p.frames = nil
	var late *engine.HandshakeTimeoutError
	if end := p.endsAt(); end != puppetStart.Add(10*time.Second) || !errors.As(p.conn.Closed(), &late) || late.Answered {
		t.Fatalf("ended after %v: %v", end.Sub(puppetStart), p.conn.Closed())
	}
	p.wantForgotten()
}

// A server at the amplification limit arms no probes, though a few bytes too
// few for a datagram be left, and goes on as soon as the client lets it
// (RFC 9002, Section 6.2.2.1).
func TestAmplificationLimitHoldsProbes(t *testing.T) {
	for _, extra := range []int{0, 100} {
		p := newServer(t, func(p *puppet) { p.server.NewTLS = fakeServerTLS(10_000) })
		p.start()
		hello := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
		p.raw(append(hello, make([]byte, extra)...))
		sent := p.sentTo[puppetAddr]
		p.advance(5 * time.Second)
		if got := p.sentTo[puppetAddr]; got != sent || got != 3600 {
			t.Fatalf("sent %d bytes, then %d", sent, got)
		}
		if n := p.conn.Stats().ProbeTimeouts; n != 0 {
			t.Fatalf("%d more bytes: %d probe timeouts while nothing could be sent", extra, n)
		}
		p.send(wire.HandshakeSpace, p.ackFrame(wire.HandshakeSpace))
		if got := p.sentTo[puppetAddr]; got <= sent {
			t.Fatal("the server does not go on")
		}
		p.wantOpen()
	}
}

// Keep-alive sends a PING when nothing happens, and keeps a connection whose
// peer answers for ever; it does not keep a dead one.
func TestKeepAlive(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side, withIdle(10*time.Second, 0), func(p *puppet) { p.config.KeepAlive = 3 * time.Second })
		p.handshake()
		for range 100 {
			p.advance(3*time.Second - 1)
			p.silence()
			p.advance(1)
			p.want(ping())
			p.ack()
		}
		p.wantOpen()
		heard := p.now
		p.ignore[wire.FramePing] = true
		if end := p.endsAt(); end.Sub(heard) > 3*time.Second+10*time.Second {
			t.Fatalf("%v: a dead peer was noticed after %v", side, end.Sub(heard))
		}
	}
}

// Keep-alive is quicker than a short idle timeout, whatever was asked for.
func TestKeepAliveWithinIdleTimeout(t *testing.T) {
	p := newServer(t, withIdle(10*time.Second, 0), func(p *puppet) { p.config.KeepAlive = time.Hour })
	p.handshake()
	p.advance(5 * time.Second)
	p.want(ping())
}

// While work is outstanding a PING leaves well before the idle timeout, whatever
// that is; without work none does.
func TestKeepAliveWhileHeld(t *testing.T) {
	for _, tt := range []struct{ idle, want time.Duration }{
		{10 * time.Second, 5 * time.Second}, {30 * time.Second, 15 * time.Second}, {time.Hour, 15 * time.Second},
	} {
		p := newClient(t, withIdle(tt.idle, 0))
		p.handshake()
		p.conn.SetHeld(p.now, true)
		for range 10 {
			p.advance(tt.want - 1)
			p.silence()
			p.advance(1)
			p.want(ping())
			p.ack()
		}
		p.conn.SetHeld(p.now, false)
		p.wantIdleEnd(p.now.Add(tt.idle))
	}
}

// Work that begins on a quiet connection is kept alive, too, also when the time
// for a PING has passed.
func TestKeepAliveHeldLate(t *testing.T) {
	for _, quiet := range []time.Duration{2 * time.Second, 5 * time.Second, 8 * time.Second} {
		p := newClient(t, withIdle(10*time.Second, 0))
		p.handshake()
		heard := p.now
		p.advance(quiet)
		p.silence()
		if !p.conn.KeepAliveLapsed() {
			t.Fatal("nothing is known of the PING that is left out")
		}
		p.conn.SetHeld(p.now, true)
		p.poll()
		if rest := heard.Add(5 * time.Second).Sub(p.now); rest > 0 {
			p.advance(rest)
		}
		p.want(ping())
		p.ack()
		if p.conn.KeepAliveLapsed() {
			t.Fatal("the PING counts as left out after it was sent")
		}
		p.advance(5 * time.Second)
		p.want(ping())
	}
}

// A peer that answers nothing is told of long before the idle timeout, once for each
// silence.
func TestSilence(t *testing.T) {
	p := newClient(t)
	p.handshake()
	told := func() (n int) {
		for _, e := range p.events {
			if e.Kind == engine.EventSilent {
				n++
			}
		}
		p.events = nil
		return n
	}
	for _, silence := range []time.Duration{time.Second, 20 * time.Second} {
		s, err := p.conn.OpenStream(true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Send.Write([]byte("is anybody there?")); err != nil {
			t.Fatal(err)
		}
		p.conn.StreamWritten(s)
		p.poll()
		p.advance(engine.MinSilentTime - 1)
		if told() != 0 {
			t.Fatal("told too early")
		}
		p.advance(silence)
		if n := told(); n != 1 {
			t.Fatalf("told %d times", n)
		}
		p.ack()
		p.frames = nil
	}
}

// Before the handshake is confirmed probes leave sooner, as there is no delay of
// acknowledgments, and a server that is slow for a moment is not yet silent.
func TestNotSilentYet(t *testing.T) {
	p := newClient(t)
	p.rtt = 10 * time.Millisecond
	p.start()
	for !p.established() {
		p.flush()
	}
	sent := p.sent
	p.advance(engine.MinSilentTime - 1)
	for _, e := range p.events {
		if e.Kind == engine.EventSilent {
			t.Fatal("told too early")
		}
	}
	if p.sent < sent+3 {
		t.Fatalf("%d datagrams were sent, want three probes", p.sent-sent)
	}
}

// A single packet is acknowledged when the delay promised is over, the second
// at once (RFC 9000, Section 13.2.1 and 13.2.2).
func TestAckDelay(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, ping())
	first := p.spaces[wire.AppSpace].next - 1
	p.advance(engine.MaxAckDelay - 1)
	if p.wasAcked(wire.AppSpace, first) {
		t.Fatal("acknowledged early")
	}
	p.advance(1)
	if !p.wasAcked(wire.AppSpace, first) {
		t.Fatal("not acknowledged in time")
	}
	p.send(wire.AppSpace, ping())
	p.send(wire.AppSpace, ping())
	if !p.wasAcked(wire.AppSpace, first+2) {
		t.Fatal("the second packet was not acknowledged at once")
	}
}

// The closing and draining periods are three probe timeouts (RFC 9000,
// Section 10.2).
func TestClosingPeriod(t *testing.T) {
	for _, byPeer := range []bool{false, true} {
		p := newServer(t)
		p.handshake()
		if byPeer {
			p.send(wire.AppSpace, appClose(0))
		} else {
			p.conn.Close(p.now, 0, "")
			p.poll()
		}
		wait := 3 * time.Duration(p.conn.PTO())
		p.advance(wait - 1)
		if p.endpoint.Conns() != 1 {
			t.Fatal("forgotten early")
		}
		p.advance(1)
		if p.endpoint.Conns() != 0 || p.events[len(p.events)-1].Kind != engine.EventReleased {
			t.Fatal("not forgotten in time")
		}
	}
}
