package engine_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// mover is a server that sends to a client which changes its address, with the time
// that datagrams take in the test's hand.
type mover struct {
	*pair
	addr   netip.AddrPort // where the client is
	stream *engine.Stream // of the server
	flying []engine.Transmit
}

// newMover returns one on whose first path a few round trips were measured and packets
// marked and acknowledged.
func newMover(t *testing.T) *mover {
	m := &mover{pair: newPair(t, engine.Config{MaxBidiStreams: 10, MaxUniStreams: 10, MaxDatagramSize: 1200}), addr: puppetAddr}
	s, err := m.server().OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	m.stream = s
	for range 20 {
		m.trip(20_000, 20*time.Millisecond)
	}
	return m
}

func (m *mover) server() *engine.Conn { return m.ends[wire.ServerSide].conn }

// send has the server send n bytes, which are on their way then.
func (m *mover) send(n int) {
	if _, err := m.stream.Send.Write(make([]byte, n)); err != nil {
		m.t.Fatal(err)
	}
	m.server().StreamWritten(m.stream)
	m.poll()
}

func (m *mover) poll() {
	for {
		t, ok := m.server().PollTransmit(m.now, m.buf, 1)
		if !ok {
			return
		}
		t.Data = append([]byte(nil), t.Data...)
		m.flying = append(m.flying, t)
	}
}

// arrive gives the client everything that is on its way to it, and the server the
// client's answer.
func (m *mover) arrive() {
	client := m.ends[wire.ClientSide]
	list := m.flying
	m.flying = nil
	for _, t := range list {
		client.endpoint.HandleDatagram(m.now, engine.Datagram{Data: t.Data, Path: path.Addrs{Remote: puppetAddr}, ECN: t.ECN})
	}
	m.handleEvents(client)
	m.answer()
}

// answer lets the client say what it has to say.
func (m *mover) answer() {
	client := m.ends[wire.ClientSide]
	if d := client.conn.Deadline(); d != 0 && d <= m.now {
		client.conn.HandleDeadline(m.now)
	}
	for {
		t, ok := client.conn.PollTransmit(m.now, m.buf, 1)
		if !ok {
			break
		}
		m.ends[wire.ServerSide].endpoint.HandleDatagram(m.now, engine.Datagram{Data: t.Data, Path: path.Addrs{Remote: m.addr}, ECN: t.ECN})
	}
	m.handleEvents(m.ends[wire.ServerSide])
	m.poll()
}

// trip sends n bytes and lets a round trip pass.
func (m *mover) trip(n int, rtt time.Duration) {
	m.send(n)
	m.now = m.now.Add(rtt)
	m.arrive()
}

// move takes the client to another address, from which it says something.
func (m *mover) move(addr netip.AddrPort) {
	m.addr = addr
	client := m.ends[wire.ClientSide].conn
	s, err := client.OpenStream(true)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := s.Send.Write([]byte("here")); err != nil {
		m.t.Fatal(err)
	}
	client.StreamWritten(s)
	m.answer()
}

// marks returns how the datagrams on their way to the client are marked, which must be
// alike.
func (m *mover) marks() path.ECN {
	m.t.Helper()
	if len(m.flying) == 0 {
		m.t.Fatal("nothing is on its way")
	}
	for _, t := range m.flying {
		if t.ECN != m.flying[0].ECN {
			m.t.Fatal("some packets are marked")
		}
	}
	return m.flying[0].ECN
}

var (
	elsewhere = netip.MustParseAddrPort("203.0.113.77:9")
	otherPort = netip.AddrPortFrom(puppetAddr.Addr(), 4444)
)

// What was sent on the path before counts neither for the round-trip time nor for the
// congestion window of the new one (RFC 9000, Section 9.4), whether it arrives or is
// lost.
func TestOldPathDoesNotCount(t *testing.T) {
	for _, fate := range []string{"arrives", "is lost"} {
		m := newMover(t)
		m.send(10_000)
		before := m.server().Stats()
		m.now = m.now.Add(100 * time.Millisecond)
		m.move(elsewhere)
		fresh := m.server().Stats()
		if fresh.SmoothedRTT != 0 || fresh.CongestionWindow >= before.CongestionWindow || fresh.BytesInFlight >= before.BytesInFlight {
			t.Fatalf("on the new path: %+v", fresh)
		}
		m.now = m.now.Add(300 * time.Millisecond)
		old := m.flying[:0]
		for _, f := range m.flying {
			if f.Path.Remote == puppetAddr {
				old = append(old, f)
			}
		}
		if m.flying = old; fate == "is lost" {
			m.flying = old[len(old)-1:]
		}
		m.arrive()
		if got := m.server().Stats(); got.SmoothedRTT != 0 || got.CongestionWindow != fresh.CongestionWindow {
			t.Errorf("%s on the old path: round trip %v, window %d, was %d", fate, got.SmoothedRTT, got.CongestionWindow, fresh.CongestionWindow)
		}
	}
}

// The controller of a new path begins anew and grows by what is sent there alone.
func TestNewPathGrows(t *testing.T) {
	m := newMover(t)
	m.move(elsewhere)
	m.arrive() // the answer to the challenge
	fresh := m.server().Stats()
	for range 10 {
		m.trip(30_000, 50*time.Millisecond)
	}
	got := m.server().Stats()
	if got.CongestionWindow <= fresh.CongestionWindow || got.MinRTT != 50*time.Millisecond {
		t.Fatalf("window %d, was %d, round trip %v", got.CongestionWindow, fresh.CongestionWindow, got.MinRTT)
	}
}

// Who comes back finds what was known of the path: the round trip, the window, and that
// the address is the peer's (RFC 9000, Section 9.3), on several paths.
func TestEstimatesAreFoundAgain(t *testing.T) {
	m := newMover(t)
	first := m.server().Stats()
	same := func(a, b engine.Stats) bool {
		return (a.SmoothedRTT-b.SmoothedRTT).Abs() < time.Millisecond && a.CongestionWindow == b.CongestionWindow
	}
	m.move(elsewhere)
	m.now = m.now.Add(20 * time.Millisecond)
	m.arrive()
	for range 30 {
		m.trip(10_000, 80*time.Millisecond)
	}
	second := m.server().Stats()
	m.move(puppetAddr)
	if got := m.server().Stats(); !same(got, first) || same(got, second) {
		t.Fatalf("back on the first: %+v, was %+v", got, first)
	}
	m.now = m.now.Add(20 * time.Millisecond)
	m.arrive()
	m.move(elsewhere)
	if got := m.server().Stats(); !same(got, second) {
		t.Fatalf("back on the second: %+v, was %+v", got, second)
	}
	m.send(20_000)
	if len(m.flying) < 10 {
		t.Fatalf("%d datagrams, as if the address were not known", len(m.flying))
	}
}

// A change of port alone is most likely a NAT's, and keeps the estimates (RFC 9000,
// Section 9.4).
func TestPortKeepsEstimates(t *testing.T) {
	m := newMover(t)
	m.send(10_000)
	before := m.server().Stats()
	m.move(otherPort)
	if got := m.server().Stats(); got.SmoothedRTT != before.SmoothedRTT || got.CongestionWindow != before.CongestionWindow || got.BytesInFlight < before.BytesInFlight {
		t.Fatalf("%+v, was %+v", got, before)
	}
	m.arrive()
	if got := m.server().Stats().BytesInFlight; got >= before.BytesInFlight {
		t.Fatalf("%d bytes are in flight", got)
	}
}

// The counts of marked packets go on when the path changes (RFC 9000,
// Section 13.4.2.1): packets go on being marked, on new paths and on old ones.
func TestECNSurvivesMoves(t *testing.T) {
	m := newMover(t)
	for _, to := range []netip.AddrPort{elsewhere, otherPort, puppetAddr, elsewhere} {
		m.send(3000)
		m.now = m.now.Add(20 * time.Millisecond)
		m.move(to)
		m.arrive()
		for range 5 {
			m.send(3000)
			if m.marks() != path.ECT0 {
				t.Fatalf("packets to %v are marked %d", to, m.marks())
			}
			m.now = m.now.Add(20 * time.Millisecond)
			m.arrive()
		}
	}
}

// A path that clears marks loses them, and no other does.
func TestECNFailsByPath(t *testing.T) {
	m := newMover(t)
	m.move(elsewhere)
	m.arrive()
	for range 3 {
		m.send(3000)
		for i := range m.flying {
			m.flying[i].ECN = path.NotECT
		}
		m.now = m.now.Add(20 * time.Millisecond)
		m.arrive()
	}
	m.send(3000)
	if m.marks() != path.NotECT {
		t.Fatal("packets are marked where marks are cleared")
	}
	m.arrive()
	m.move(puppetAddr)
	m.arrive()
	for range 3 {
		m.send(3000)
		if m.marks() != path.ECT0 {
			t.Fatal("packets are not marked where marks arrive")
		}
		m.now = m.now.Add(20 * time.Millisecond)
		m.arrive()
	}
}

// After a black hole on one path another one is searched afresh.
func TestMTUOfANewPath(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.MaxDatagramSize = 1452 })
	p.handshake()
	p.send(wire.AppSpace, stream(0, 0, "give me much", true))
	s := p.events[0].Stream
	give := func() {
		if _, err := s.Send.Write(make([]byte, 30_000)); err != nil {
			t.Fatal(err)
		}
		p.conn.StreamWritten(s)
		p.poll()
	}
	give()
	p.ack()
	if got := p.conn.Stats().DatagramSize; got != 1452 {
		t.Fatalf("the search found %d", got)
	}
	p.advance(10 * time.Second) // nothing is acknowledged any more
	if got := p.conn.Stats().DatagramSize; got != 1200 {
		t.Fatalf("datagrams of %d bytes in a black hole", got)
	}
	p.frames = nil
	p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(1000)) })
	for _, f := range p.frames {
		if f.kind() == wire.FramePathChallenge && f.to == strangerAddr {
			p.from(strangerAddr, func() { p.send(wire.AppSpace, pathResponse(f.pathData())) })
		}
	}
	for range 5 {
		p.from(strangerAddr, p.ack)
		p.from(strangerAddr, give)
	}
	if got := p.conn.Stats().DatagramSize; got != 1452 {
		t.Fatalf("the search on the new path found %d", got)
	}
	p.wantOpen()
}

// The path before is challenged as well: if somebody on the way has made the peer seem
// to move, it learns of it and comes back (RFC 9000, Section 9.3.3). What becomes of
// that changes nothing by itself, and its loss is no congestion.
func TestPathBeforeIsChallenged(t *testing.T) {
	p := newServer(t)
	p.handshake()
	before := p.conn.Stats()
	p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(1100)) })
	challenge, old := p.wantKind(wire.FramePathChallenge), p.wantKind(wire.FramePathChallenge)
	if challenge.to != strangerAddr || old.to != puppetAddr || old.size != 1200 {
		t.Fatalf("challenges to %v and %v in %d bytes", challenge.to, old.to, old.size)
	}
	p.from(strangerAddr, func() { p.send(wire.AppSpace, pathResponse(challenge.pathData())) })
	p.send(wire.AppSpace, pathResponse(old.pathData()))
	p.path.Remote = strangerAddr
	p.advance(10 * time.Second)
	if got := p.conn.Path().Remote; got != strangerAddr {
		t.Fatalf("the path leads to %v", got)
	}
	p.path.Remote = puppetAddr
	p.send(wire.AppSpace, ping())
	if got := p.conn.Stats(); p.conn.Path().Remote != puppetAddr || got.CongestionWindow != before.CongestionWindow {
		t.Fatalf("back on %v: window %d, was %d", p.conn.Path(), got.CongestionWindow, before.CongestionWindow)
	}
	p.wantOpen()
}

// What is not acknowledged of probes on the path before, which may be gone, brings about no
// probe timeout of the path in use: the challenge has a timer of its own (RFC 9000, Section
// 9.4). Data on the path in use has its timeout as always.
func TestProbesOfPathsSetNoTimeout(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.MaxDatagramSize = 1200 }) // and the MTU is not looked for
	p.handshake()
	before := p.conn.Stats().ProbeTimeouts
	p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(1100)) })
	challenge, old := p.wantKind(wire.FramePathChallenge), p.wantKind(wire.FramePathChallenge)
	if old.to != puppetAddr {
		t.Fatalf("the second challenge goes to %v", old.to)
	}
	acked := slices.Clone(p.spaces[wire.AppSpace].received)
	acked[0].Largest-- // but for the last
	p.from(strangerAddr, func() { p.send(wire.AppSpace, pathResponse(challenge.pathData()), ack(acked...)) })
	p.path.Remote = strangerAddr
	token := p.spaces[wire.AppSpace].received[0].Largest // what followed has NEW_TOKEN
	p.send(wire.AppSpace, ack(append([]wire.PacketRange{{Smallest: token, Largest: token}}, acked...)...))
	p.advance(5 * time.Second)
	if n := p.conn.Stats().ProbeTimeouts - before; n != 0 {
		t.Errorf("%d probe timeouts with nothing on its way", n)
	}
	s, err := p.conn.OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	p.advance(time.Duration(p.conn.PTO()))
	if n := p.conn.Stats().ProbeTimeouts - before; n != 1 {
		t.Errorf("%d probe timeouts for what is on its way", n)
	}
}

// The answer to a challenge on the path in use is no mere probe: a server to which
// somebody on the way has made the client seem to move comes back for it (RFC 9000,
// Section 9.3.3). On another path it is one, and moves nobody.
func TestActivePathIsConfirmed(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.send(wire.AppSpace, pathChallenge("activeis"))
		p.wantKind(wire.FramePathResponse)
		p.want(ping())
		p.silence()
		if side == wire.ServerSide {
			p.from(strangerAddr, func() { p.send(wire.AppSpace, pathChallenge("isitfree"), padding(1100)) })
			p.wantKind(wire.FramePathResponse)
			p.wantKind(wire.FramePathChallenge) // it probes as well
			p.silence()
		}
	}
}

// A path on which no more may be sent does not keep back the answers on others.
func TestPathAnswersAreIndependent(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for i := range engine.MaxPathAnswers + 1 {
		p.from(strangerAddr, func() { p.send(wire.AppSpace, pathChallenge(fmt.Sprint("fullpath", i)), padding(1100)) })
	}
	frames := p.frames
	challenges := p.count(wire.FramePathChallenge)
	p.frames = frames
	if n := p.count(wire.FramePathResponse); challenges != 1 || n+challenges != engine.MaxPathAnswers {
		t.Fatalf("%d answers and %d challenges left on a path where none is acknowledged", n, challenges)
	}
	p.send(wire.AppSpace, pathChallenge("another1"))
	if n := p.count(wire.FramePathResponse); n != 1 {
		t.Errorf("%d answers on the path in use", n)
	}
	p.wantOpen()
}
