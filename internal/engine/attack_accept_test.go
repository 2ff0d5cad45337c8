package engine_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// initialDatagram returns the first datagram of a new client with its own ID.
func initialDatagram(t testing.TB, i int, frames ...frame) []byte {
	p := newServer(t, func(p *puppet) { p.original = connID(fmt.Sprintf("orig%06d", i)) })
	p.remote = p.original
	p.start()
	if len(frames) == 0 {
		frames = []frame{crypto(0, p.spaces[wire.InitialSpace].toSend)}
	}
	return p.packet(wire.InitialSpace, frames...)
}

// withLimits makes the endpoint keep few handshakes.
func withLimits(p *puppet, retryAbove, maxHandshakes int) {
	p.gate = newGate(admission.Limits{RetryAbove: retryAbove, Handshakes: maxHandshakes})
}

// newGate returns a gate whose limits that are zero are none.
func newGate(l admission.Limits) *admission.Gate {
	for _, limit := range []*int{&l.RetryAbove, &l.Handshakes, &l.HandshakesPerSource, &l.Conns, &l.ConnsPerSource} {
		if *limit == 0 {
			*limit = math.MaxInt
		}
	}
	return admission.New(l)
}

// Attack: pre-handshake leak. Junk in every form in front of a server leaves
// nothing behind, and the counters say what came.
func TestAttackJunkLeavesNothing(t *testing.T) {
	p := newServer(t)
	valid := initialDatagram(t, 1)
	forged := append([]byte(nil), valid...)
	forged[len(forged)-1] ^= 1
	shortID := append([]byte(nil), valid...)
	shortID[5] = 7 // destination ID of 7 bytes: what follows shifts
	junk := []struct {
		name  string
		data  []byte
		count func(engine.EndpointStats) uint64
	}{
		{"empty", nil, malformed},
		{"one byte", []byte{0xc3}, malformed},
		{"zeros", make([]byte, 1200), unknownID},
		{"short header without an ID", []byte{0x40, 1, 2}, malformed},
		{"short header of nobody", append([]byte{0x40}, make([]byte, 30)...), unknownID},
		{"truncated long header", valid[:12], malformed},
		{"Initial cut short", valid[:1000], malformed},
		{"forged Initial", forged, notAuthentic},
		{"ID too short", shortID, malformed},
		{"0-RTT of nobody", retyped(valid, wire.ZeroRTTPacket), unknownID},
		{"Handshake of nobody", retyped(valid, wire.HandshakePacket), unknownID},
		{"Retry", retyped(valid, wire.RetryPacket), unknownID},
		{"fixed bit cleared", append([]byte{valid[0] &^ 0x40}, valid[1:]...), malformed},
		{"Version Negotiation", wire.AppendVersionNegotiation(nil, []byte("12345678"), []byte("87654321"), 0, []wire.Version{1}), unknownID},
	}
	for _, j := range junk {
		t.Run(j.name, func(t *testing.T) {
			before := j.count(p.endpoint.Stats())
			p.raw(j.data)
			if got := j.count(p.endpoint.Stats()); got != before+1 {
				t.Errorf("the counter went from %d to %d: %+v", before, got, p.endpoint.Stats())
			}
			if p.endpoint.Conns() != 0 {
				t.Fatal("a connection was made")
			}
			if err := p.endpoint.CheckEmpty(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if p.endpoint.Stats().Accepted != 0 {
		t.Error("something was accepted")
	}
}

func malformed(s engine.EndpointStats) uint64    { return s.Malformed }
func unknownID(s engine.EndpointStats) uint64    { return s.UnknownID }
func notAuthentic(s engine.EndpointStats) uint64 { return s.NotAuthentic }

// retyped returns a long header packet with another type.
func retyped(b []byte, t wire.PacketType) []byte {
	b = append([]byte(nil), b...)
	b[0] = b[0]&^0x30 | byte(t)<<4
	return b
}

// Attack: pre-handshake leak, by Initial packets that are authentic and say
// nothing useful: each connection is gone after its handshake timeout.
func TestAttackUselessInitials(t *testing.T) {
	useless := map[string][]frame{
		"only PING":         {ping()},
		"only PADDING":      {padding(1000)},
		"half a hello":      {crypto(0, []byte{1, 0, 200})},
		"hello with a hole": {crypto(1, []byte{0, 200})},
		"not a hello":       {crypto(0, []byte{99, 0, 0})},
		"CONNECTION_CLOSE":  {connClose(0)},
		"wrong frame":       {stream(0, 0, "early", false)},
		"unknown frame":     {{0x21}},
	}
	for name, frames := range useless {
		t.Run(name, func(t *testing.T) {
			p := newServer(t)
			p.start()
			data := p.packet(wire.InitialSpace, frames...)
			p.raw(data)
			if n := p.sentTo[puppetAddr]; n > 3*len(data) {
				t.Errorf("%d bytes for %d", n, len(data))
			}
			p.wantForgotten()
		})
	}
}

// Attack: pre-handshake leak, coalesced packets for another connection (RFC
// 9000, Section 12.2): ignored, and not counted as one's own.
func TestAttackForeignIDCoalesced(t *testing.T) {
	p := newServer(t)
	p.start()
	s := &p.spaces[wire.InitialSpace]
	first := p.packet(wire.InitialSpace, crypto(0, s.toSend))
	p.raw(append(first, initialDatagram(t, 7)...))
	if n := p.endpoint.Stats().Accepted; n != 1 || p.endpoint.Conns() != 1 {
		t.Fatalf("%d connections were accepted, %d are kept", n, p.endpoint.Conns())
	}
	if n := p.conn.Stats().ReceivedPackets; n != 1 {
		t.Fatalf("%d packets were processed", n)
	}
	p.wantForgotten()
}

// Attack: pre-handshake leak, packets that come before their keys. Few are
// kept, and none after the handshake.
func TestAttackEarlyPackets(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	large := append([]byte{0x40}, append(append([]byte(nil), p.remote.Bytes()...), make([]byte, 1100)...)...)
	small := large[:100]
	for range 100 {
		p.deliver(small)
	}
	for range 100 {
		p.deliver(large)
	}
	if h := p.conn.Held(); h.EarlyPackets != engine.MaxEarlyPackets || h.EarlyBytes > engine.MaxEarlyBytes {
		t.Fatalf("%d early packets with %d bytes are kept", h.EarlyPackets, h.EarlyBytes)
	}
	p = newServer(t)
	p.reachHandshake()
	large = append([]byte{0x40}, append(append([]byte(nil), p.remote.Bytes()...), make([]byte, 1100)...)...)
	for range 100 {
		p.deliver(large)
	}
	if h := p.conn.Held(); h.EarlyPackets < 10 || h.EarlyBytes > engine.MaxEarlyBytes {
		t.Fatalf("%d early packets with %d bytes are kept", h.EarlyPackets, h.EarlyBytes)
	}
	p.flush()
	p.ack()
	if h := p.conn.Held(); h.EarlyPackets != 0 || h.Handshake {
		t.Fatalf("after the handshake %d early packets are kept, handshake state %v", h.EarlyPackets, h.Handshake)
	}
	p.wantOpen()
}

// Attack: accept flood. Above one bound new clients must prove their address,
// above the other they get no answer; bounds hold in state and in answers.
func TestAttackInitialFlood(t *testing.T) {
	const retryAbove, flood = 20, 500
	p := newServer(t, func(p *puppet) { withLimits(p, retryAbove, 1000) })
	for i := range flood {
		p.path.Remote = churnAddr(i)
		p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, i), Path: p.path})
	}
	s := p.endpoint.Stats()
	if p.endpoint.Conns() != retryAbove || s.Accepted != retryAbove {
		t.Fatalf("%d connections, %d accepted, want %d", p.endpoint.Conns(), s.Accepted, retryAbove)
	}
	p.poll()
	if n := len(p.answers); n != engine.MaxRetryAnswers || s.RetriesSent != uint64(engine.MaxRetryAnswers) {
		t.Fatalf("%d answers, %d Retry packets, want the bound %d", n, s.RetriesSent, engine.MaxRetryAnswers)
	}
	for _, a := range p.answers {
		if h, ok := wire.ParseLongHeader(a); !ok || h.Type != wire.RetryPacket {
			t.Fatalf("an answer is no Retry packet: %x", a)
		}
	}
}

// Attack: accept flood by clients that prove their address: beyond the last bound
// there is silence, and they may try again. Who has not proved it is asked to, and
// has no part in that bound.
func TestAttackInitialFloodIgnored(t *testing.T) {
	const most = 10
	p := newServer(t, requireRetry, func(p *puppet) { withLimits(p, most, most) })
	for i := range 100 {
		p.path.Remote = churnAddr(i)
		p.original = connID(fmt.Sprintf("orig%06d", i))
		p.remote, p.token, p.conn = p.original, nil, nil
		p.spaces, p.tls = [wire.NumSpaces]puppetSpace{}, &sim.FakeTLS{Side: wire.ClientSide}
		p.retried()
		p.queue(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	}
	s := p.endpoint.Stats()
	if p.endpoint.Conns() != most || s.Refused != 100-most {
		t.Fatalf("%d connections, %d refused", p.endpoint.Conns(), s.Refused)
	}
	p.server.RequireRetry = false
	if p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, 200), Path: path.Addrs{Remote: strangerAddr}}) != nil {
		t.Error("accepted a newcomer who proved nothing while there were so many handshakes")
	}
	if got := p.endpoint.Stats().RetriesSent; got != 101 {
		t.Errorf("%d Retry packets, want 101", got)
	}
}

// Attack: floods that are answered in one way leave the answers of other kinds to
// honest clients.
func TestAttackAnswersHaveShares(t *testing.T) {
	p := newServer(t, requireRetry)
	odd := initialDatagram(t, 1)
	odd[1] = 0x5a // another version
	short := append([]byte{0x40}, make([]byte, 100)...)
	for range 1000 {
		p.deliver(odd)
		p.deliver(short)
	}
	p.deliver(initialDatagram(t, 2))
	if s := p.endpoint.Stats(); s.RetriesSent != 1 || s.VersionsSent != uint64(engine.MaxVersionAnswers) || s.ResetsSent != uint64(engine.MaxResetAnswers) {
		t.Errorf("%d Retry packets, want 1; %d Version Negotiation packets and %d resets", s.RetriesSent, s.VersionsSent, s.ResetsSent)
	}
}

// Connections have a limit, beyond which clients are told so.
func TestTooManyConnections(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.gate = newGate(admission.Limits{Conns: 1}) })
	p.handshake()
	p.raw(initialDatagram(t, 1))
	p.wantRefused(connID("orig000001"), wire.ConnectionRefused)
	if n := p.endpoint.Conns(); n != 1 {
		t.Errorf("%d connections", n)
	}
	p.wantForgotten()
	if p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, 2), Path: p.path}) == nil {
		t.Error("a connection that is over still counts")
	}
}

// wantRefused demands that the endpoint's only answer be CONNECTION_CLOSE to a client
// that sent to an ID, in a packet that buys an attacker nothing.
func (p *puppet) wantRefused(to wire.ConnectionID, code wire.ErrorCode) {
	p.t.Helper()
	if len(p.answers) != 1 || len(p.answers[0]) > 200 {
		p.fatal("%d answers", len(p.answers))
	}
	h, ok := wire.ParseLongHeader(p.answers[0])
	if !ok || h.Type != wire.InitialPacket || h.DstID != p.local {
		p.fatal("the answer is no Initial packet to this client: %x", p.answers[0])
	}
	_, opener := protect.NewInitial(wire.Version1, to.Bytes(), wire.ClientSide)
	payload, _, err := opener.Open(p.answers[0], h.PNOffset, wire.NoPacket)
	if err != nil {
		p.fatal("the answer does not open: %v", err)
	}
	if f, n := splitFrame(payload); n != len(payload) || f.kind() != wire.FrameConnectionClose || f.close().Code != uint64(code) {
		p.fatal("the answer is %v, want CONNECTION_CLOSE with %v", f, code)
	}
	p.answers = nil
}

// A handshake counts against the bounds until it is confirmed or over.
func TestHandshakesLeaveTheLimit(t *testing.T) {
	p := newServer(t, func(p *puppet) { withLimits(p, 1, 1) })
	p.handshake()
	other := initialDatagram(t, 1)
	c := p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: other, Path: path.Addrs{Remote: strangerAddr}})
	if c == nil {
		t.Fatal("a confirmed handshake still counts")
	}
	if p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, 2), Path: p.path}) != nil {
		t.Fatal("accepted beyond the bound without proof")
	}
	for d := c.Deadline(); !d.IsZero(); d = c.Deadline() {
		c.HandleDeadline(d)
	}
	p.now = p.now.Add(time.Minute)
	if p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, 3), Path: p.path}) == nil {
		t.Fatal("a handshake that timed out still counts")
	}
}

// Attack: spoofed source, in the handshake. Before the client proves its
// address it gets at most three times what it sent, however long it waits.
func TestAttackHandshakeAmplification(t *testing.T) {
	for _, filler := range []int{0, 3000, 20_000} {
		p := newServer(t, func(p *puppet) {
			p.server.NewTLS = fakeServerTLS(filler)
		})
		p.start()
		data := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
		p.raw(data)
		p.advance(20 * time.Second)
		if n := p.sentTo[puppetAddr]; n == 0 || n > 3*len(data) {
			t.Errorf("filler %d: %d bytes for %d", filler, n, len(data))
		}
		p.wantForgotten()
	}
}

// Attack: CID hash flood. IDs that clients choose are keys of Go maps, whose
// hash is seeded with a secret of the process, so collisions cannot be
// computed. What remains to be shown is that lookups stay exact under many
// similar IDs.
func TestAttackSimilarIDs(t *testing.T) {
	p := newServer(t)
	conns := make(map[*engine.Conn]bool)
	for i := range 200 {
		c := p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, i), Path: p.path})
		if c == nil || conns[c] {
			t.Fatalf("client %d got no connection of its own", i)
		}
		conns[c] = true
	}
	for i := range 200 {
		if c := p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: initialDatagram(t, i), Path: p.path}); !conns[c] {
			t.Fatalf("client %d was not found again", i)
		}
	}
	if p.endpoint.Conns() != 200 {
		t.Fatalf("%d connections", p.endpoint.Conns())
	}
}

// Attack: empty and tiny datagrams, to an endpoint and to a connection: each
// is counted and costs nothing.
func TestAttackEmptyDatagrams(t *testing.T) {
	p := newServer(t)
	p.handshake()
	before := p.conn.Held()
	for range 1000 {
		p.deliver(nil)
		p.deliver([]byte{0x40})
		p.deliver([]byte{0xc0, 0, 0, 0, 1, 0, 0})
	}
	p.poll()
	p.silence()
	if n := p.endpoint.Stats().Malformed; n != 3000 {
		t.Errorf("%d datagrams were counted", n)
	}
	if p.conn.Held() != before {
		t.Errorf("held %+v, before %+v", p.conn.Held(), before)
	}
}
