package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// earlyLimits are parameters that let early data do what the tests do.
func earlyLimits() *wire.TransportParameters {
	p := wire.DefaultTransportParameters()
	p.InitialMaxData, p.InitialMaxStreamDataBidiRemote, p.InitialMaxStreamDataUni = 10_000, 10_000, 10_000
	p.InitialMaxStreamDataBidiLocal, p.InitialMaxStreamsBidi, p.InitialMaxStreamsUni = 10_000, 3, 3
	return &p
}

// sendsEarly has the puppet client send early data, which the server accepts or not.
func sendsEarly(accepts bool) func(*puppet) {
	return func(p *puppet) {
		p.config.EarlyData = true
		p.tls.Early = earlyLimits()
		p.server.NewTLS = func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide, AcceptEarly: accepts} }
	}
}

// hello sends the puppet client's first Initial packet.
func (p *puppet) hello() {
	p.t.Helper()
	s := &p.spaces[wire.InitialSpace]
	data := s.toSend
	s.toSend, s.cryptoOut = nil, uint64(len(data))
	p.send(wire.InitialSpace, crypto(0, data))
}

// What a client sends early is there before the handshake is complete, and can be answered
// then; what the address may get is no more for it.
func TestEarlyAccepted(t *testing.T) {
	p := newServer(t, sendsEarly(true))
	p.start()
	p.hello()
	if !p.told(engine.EventEarly) || p.established() {
		t.Fatal("early data is not accepted, or the handshake complete")
	}
	p.raw(p.earlyPacket(stream(0, 0, "question", true)))
	i := slices.IndexFunc(p.events, func(e engine.Event) bool { return e.Kind == engine.EventStreamOpened })
	if i < 0 || !p.conn.EarlyAccepted() {
		t.Fatal("the stream is not there")
	}
	s := p.events[i].Stream
	if got := make([]byte, 20); !func() bool { n, _ := s.Recv.Read(got); return string(got[:n]) == "question" }() {
		t.Fatalf("read %q", got)
	}
	if _, err := s.Send.WriteLast([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	if got := p.count(wire.FrameStream|wire.StreamFin) + p.count(wire.FrameStream|wire.StreamFin|wire.StreamLen); p.established() {
		t.Fatalf("the handshake is complete; %d frames", got)
	}
	if !p.wasAcked(wire.AppSpace, 0) {
		t.Error("a 0-RTT packet is not acknowledged")
	}
	if most := 3 * 2 * 1300; p.sentTo[puppetAddr] > most {
		t.Errorf("%d bytes were sent to an address that is not validated", p.sentTo[puppetAddr])
	}
	for range 4 {
		p.flush()
	}
	if !p.established() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	p.wantForgotten()
}

// What may not be in 0-RTT packets (RFC 9000, Sections 12.4 and 12.5).
func TestEarlyFrames(t *testing.T) {
	for _, f := range []frame{
		ack(wire.PacketRange{}),
		crypto(0, []byte{1}),
		handshakeDone(),
		wire.AppendNewToken(nil, wire.NewToken{Token: []byte{1}}),
		wire.AppendPathResponse(nil, wire.PathData{}),
		wire.AppendRetireConnectionID(nil, 0),
	} {
		p := newServer(t, sendsEarly(true))
		p.start()
		p.hello()
		p.raw(p.earlyPacket(f))
		p.wantClosedWith(wire.ProtocolViolation)
		p.wantForgotten()
	}
}

// A server that rejects early data opens none of it, and keeps none once it has.
func TestEarlyRejectedByServer(t *testing.T) {
	p := newServer(t, sendsEarly(false))
	p.start()
	p.hello()
	p.raw(p.earlyPacket(stream(0, 0, "question", true)))
	if p.told(engine.EventEarly) || p.told(engine.EventStreamOpened) || p.conn.EarlyAccepted() {
		t.Fatal("early data came through")
	}
	if n := p.conn.Held().EarlyBytes; n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
	for range 4 {
		p.flush()
	}
	if !p.established() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
}

// 0-RTT packets that overtake the Initial packet are kept for it, for a moment.
func TestEarlyBeforeInitial(t *testing.T) {
	for _, late := range []time.Duration{0, engine.StrayLifetime + 1} {
		p := newServer(t, sendsEarly(true))
		p.start()
		p.raw(p.earlyPacket(stream(0, 0, "question", true)))
		if p.conn != nil || p.endpoint.StrayBytes() == 0 {
			t.Fatal("a 0-RTT packet is not kept")
		}
		p.now = p.now.Add(late)
		p.hello()
		if got := p.told(engine.EventStreamOpened); got != (late == 0) {
			t.Errorf("after %v: the stream is there: %v", late, got)
		}
		if n := p.endpoint.StrayBytes(); n != 0 {
			t.Errorf("after %v: %d bytes are kept", late, n)
		}
	}
}

// A server that does without keeps nothing.
func TestEarlyOff(t *testing.T) {
	p := newServer(t, sendsEarly(true), func(p *puppet) { p.config.EarlyData = false })
	p.start()
	p.raw(p.earlyPacket(ping()))
	if p.endpoint.StrayBytes() != 0 {
		t.Error("a 0-RTT packet is kept")
	}
}

// Attack: a flood of 0-RTT packets to no connection is kept within bounds, and so is one
// to a single connection ID.
func TestAttackEarlyFlood(t *testing.T) {
	for _, same := range []bool{false, true} {
		p := newServer(t, sendsEarly(true))
		p.start()
		for i := range 5000 {
			if !same {
				p.remote = connID("flood" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + "0")
			}
			p.raw(p.earlyPacket(stream(0, 0, string(make([]byte, 1100)), true)))
			if n := p.endpoint.StrayBytes(); n > engine.MaxStrayBytes {
				t.Fatalf("%d bytes are kept", n)
			}
		}
		if n := p.endpoint.StrayPackets(); n == 0 || n > engine.MaxStrayPackets || same && n > engine.MaxStraysOfOne {
			t.Errorf("%d packets are kept", n)
		}
	}
}

// Attack: a flood of 0-RTT packets during a handshake that does not get on is kept within
// the bounds for early packets.
func TestAttackEarlyFloodOfHandshake(t *testing.T) {
	p := newServer(t, sendsEarly(true))
	p.start()
	p.queue(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend[:10]))
	for range 1000 {
		p.raw(p.earlyPacket(stream(0, 0, string(make([]byte, 1100)), true)))
	}
	if n := p.conn.Held().EarlyBytes; n == 0 || n > engine.MaxEarlyBytes {
		t.Errorf("%d bytes are kept", n)
	}
	p.wantForgotten()
}

// newEarlyClient returns a puppet server before a client that sends early data, which has
// written some.
func newEarlyClient(t *testing.T, options ...func(*puppet)) *puppet {
	p := newClient(t, append([]func(*puppet){func(p *puppet) {
		p.earlyTLS = earlyLimits()
		p.tls.AcceptEarly = true
	}}, options...)...)
	p.start()
	if !p.told(engine.EventEarly) {
		t.Fatal("the client offers no early data")
	}
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.WriteLast([]byte("question")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	if p.early == 0 {
		t.Fatal("no 0-RTT packet was sent")
	}
	return p
}

// A server that accepts early data must not reduce limits (RFC 9000, Section 7.4.1).
func TestEarlyReducedLimit(t *testing.T) {
	p := newEarlyClient(t, func(p *puppet) { p.params.InitialMaxStreamsBidi = 2 })
	for range 4 {
		p.flush()
	}
	p.wantClosedWith(wire.ProtocolViolation)
	p.wantForgotten()
}

// An acknowledgment of 0-RTT packets alone does not confirm the handshake (RFC 9001,
// Section 4.1.2).
func TestEarlyAckConfirmsNothing(t *testing.T) {
	p := newEarlyClient(t)
	for range 4 {
		p.flush()
	}
	if !p.established() || !p.conn.EarlyAccepted() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	p.send(wire.AppSpace, ack(wire.PacketRange{Smallest: 0, Largest: wire.PacketNumber(p.early) - 1}))
	if !p.conn.Held().Handshake {
		t.Error("the handshake is confirmed")
	}
	p.send(wire.AppSpace, handshakeDone())
	if p.conn.Held().Handshake {
		t.Error("the handshake is not confirmed")
	}
}

// After a Retry the client sends early data again, under further numbers (RFC 9000,
// Section 17.2.5.3).
func TestEarlyAfterRetry(t *testing.T) {
	p := newEarlyClient(t)
	before := p.early
	p.initialKeys(connID("retry-id"))
	p.raw(retryTo(p, connID("retry-id"), "token"))
	if p.early == before {
		t.Fatal("no 0-RTT packet follows")
	}
}

// Who waits for a stream though no limit was remembered for it is told of the limits that
// the server has now, also when early data opened none before.
func TestEarlyStreamsAvailable(t *testing.T) {
	for _, accepts := range []bool{false, true} {
		p := newClient(t, func(p *puppet) {
			p.earlyTLS = earlyLimits()
			p.earlyTLS.InitialMaxStreamsBidi = 0
			p.tls.AcceptEarly = accepts
		})
		p.start()
		if _, err := p.conn.OpenStream(false); err != engine.ErrStreamLimit {
			t.Fatalf("a stream without leave: %v", err)
		}
		p.poll()
		p.events = nil
		for range 4 {
			p.flush()
		}
		if !p.established() || p.conn.EarlyAccepted() != accepts {
			t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
		}
		if !p.told(engine.EventStreamsAvailable) {
			t.Errorf("accepted: %v: who waits is not told that there may be streams", accepts)
		}
		if _, err := p.conn.OpenStream(false); err != nil {
			t.Error(err)
		}
		p.poll()
		if n := p.count(wire.FrameStreamsBlockedBidi); n > 1 {
			t.Errorf("STREAMS_BLOCKED was sent %d times", n)
		}
	}
}

// Once 1-RTT packets can be sent there are no more 0-RTT packets (RFC 9000, Section 17.2.3).
func TestEarlyKeysGo(t *testing.T) {
	p := newEarlyClient(t)
	for range 4 {
		p.flush()
	}
	if !p.established() || !p.conn.EarlyAccepted() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	early := p.early
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.WriteLast([]byte("later")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	if p.sentUpTo()[s.ID] != 5 || p.early != early {
		t.Errorf("%d bytes, and %d more 0-RTT packets", p.sentUpTo()[s.ID], p.early-early)
	}
}

// haltingTLS tells of nothing behind the server's parameters, as if the rest were still on
// its way.
type haltingTLS struct {
	*sim.FakeTLS
	halted bool
}

func (h *haltingTLS) NextEvent() engine.TLSEvent {
	if h.halted {
		return engine.TLSEvent{}
	}
	e := h.FakeTLS.NextEvent()
	h.halted = e.Kind == engine.TLSPeerParameters
	return e
}

// No 0-RTT packet uses what the server allows now and did not when the session was made
// (RFC 9000, Section 7.4.1).
func TestEarlyLimitsStay(t *testing.T) {
	p := newClient(t, func(p *puppet) { p.tls.AcceptEarly = true })
	limits := earlyLimits()
	limits.InitialMaxStreamDataBidiRemote = 100
	tls := &haltingTLS{FakeTLS: &sim.FakeTLS{Side: wire.ClientSide, Early: limits}}
	p.conn, _ = p.endpoint.Dial(p.now, p.path, p.config, tls)
	p.poll()
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send.WriteLast(make([]byte, 1000)); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	if got := p.sentUpTo()[s.ID]; p.early == 0 || got != 100 {
		t.Fatalf("%d bytes were sent early, in %d packets, want 100", got, p.early)
	}
	early := p.early
	p.flush()
	p.conn.StreamWritten(s)
	p.poll()
	if !tls.halted || p.conn.Closed() != nil {
		t.Fatalf("the server's parameters did not come: %v", p.conn.Closed())
	}
	if got := p.sentUpTo()[s.ID]; p.early != early || got != 100 {
		t.Errorf("%d more 0-RTT packets; %d bytes were sent", p.early-early, got)
	}
}
