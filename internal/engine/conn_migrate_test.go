package engine_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// further is a path by another socket of the client's.
var further = path.Addrs{Remote: puppetAddr, Socket: 1}

// newMigrant returns a client with a puppet that has given it further connection IDs.
func newMigrant(t *testing.T, ids uint64, options ...func(*puppet)) *puppet {
	p := newClient(t, options...)
	p.handshake()
	for seq := range ids {
		p.send(wire.AppSpace, newConnID(seq+1, 0, peerID(seq+1)))
	}
	p.advance(time.Second)
	p.ack()
	p.frames, p.events = nil, nil
	return p
}

// by does something as if it arrived at a socket.
func (p *puppet) by(socket uint8, do func()) {
	old := p.path
	p.path.Socket = socket
	do()
	p.path = old
}

// heard reports whether there was an event, and forgets it.
func (p *puppet) heard(kind engine.EventKind) (told bool) {
	for _, e := range p.events {
		told = told || e.Kind == kind
	}
	p.events = nil
	return told
}

// probe has the client probe a path, and answers.
func (p *puppet) probe(a path.Addrs) seenFrame {
	p.t.Helper()
	if err := p.conn.ProbePath(p.now, a); err != nil {
		p.t.Fatal(err)
	}
	p.poll()
	f := p.wantKind(wire.FramePathChallenge)
	if p.conn.PathStanding(a) != engine.PathProbing {
		p.t.Fatal("the path is not being probed")
	}
	p.by(a.Socket, func() { p.from(a.Remote, func() { p.send(wire.AppSpace, pathResponse(f.pathData())) }) })
	return f
}

// switchTo has the client move, and returns the frame by which the puppet learns of it.
func (p *puppet) switchTo(a path.Addrs) seenFrame {
	p.t.Helper()
	if err := p.conn.SwitchPath(p.now, a); err != nil {
		p.t.Fatal(err)
	}
	p.poll()
	return p.wantKind(wire.FramePing)
}

// A client moves: the probe is a full datagram to an ID that was used nowhere else, and says
// nothing that would move the server; then packets leave there, to the same ID. Back on the
// first path, its ID is as it was. The ID of a path that is left is retired (RFC 9000,
// Sections 8.2.1, 9.1, 9.2 and 9.5).
func TestClientMoves(t *testing.T) {
	p := newMigrant(t, 2)
	first := p.conn.Path()
	before := p.conn.Stats()
	probe := p.probe(further)
	if probe.dst != peerID(1) || probe.socket != 1 || probe.size != 1200 {
		t.Fatalf("the probe goes to ID %q by socket %d in %d bytes", probe.dst, probe.socket, probe.size)
	}
	if !p.heard(engine.EventPaths) || p.conn.PathStanding(further) != engine.PathUsable || p.conn.Path() != first {
		t.Fatalf("after the answer: %d on %v", p.conn.PathStanding(further), p.conn.Path())
	}
	p.silence()
	f := p.switchTo(further)
	if f.dst != peerID(1) || f.socket != 1 || !p.heard(engine.EventPathChanged) {
		t.Fatalf("the first packet goes to ID %q by socket %d", f.dst, f.socket)
	}
	if got := p.conn.Stats(); got.SmoothedRTT != 0 || p.conn.Path() != further {
		t.Fatalf("%+v on %v, was %+v", got, p.conn.Path(), before)
	}
	if err := p.conn.LeavePath(further); err != engine.ErrPathInUse {
		t.Fatalf("leaving the path in use: %v", err)
	}
	p.by(1, p.ack)
	if f := p.switchTo(first); f.dst != "puppet-1" || f.socket != 0 {
		t.Fatalf("back on the first path: ID %q by socket %d", f.dst, f.socket)
	}
	if err := p.conn.LeavePath(further); err != nil {
		t.Fatal(err)
	}
	p.poll()
	p.want(retireConnID(1))
	if p.probe(further).dst != peerID(2) {
		t.Fatal("the ID of a path that was left is used again")
	}
	p.wantOpen()
}

// Why a client must stay is said, and nothing is sent.
func TestClientMustStay(t *testing.T) {
	stay := func(p *puppet) { p.editTP = func(tp *wire.TransportParameters) { tp.DisableActiveMigration = true } }
	for _, tt := range []struct {
		name string
		p    *puppet
		want error
	}{
		{"disabled", newMigrant(t, 2, stay), engine.ErrMigrationDisabled},
		{"without IDs", newMigrant(t, 0), engine.ErrNoPeerID},
		{"server without IDs", newMigrant(t, 0, func(p *puppet) { p.local = wire.ConnectionID{} }), engine.ErrMigrationDisabled},
	} {
		if err := tt.p.conn.ProbePath(tt.p.now, further); err != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := tt.p.conn.SwitchPath(tt.p.now, further); err == nil {
			t.Errorf("%s: it moves", tt.name)
		}
		tt.p.poll()
		tt.p.silence()
	}
	p := newClient(t)
	p.dial(t)
	if err := p.conn.ProbePath(p.now, further); err != engine.ErrNotConfirmed {
		t.Errorf("during the handshake: %v", err)
	}
	s := newServer(t)
	s.handshake()
	if err := s.conn.ProbePath(s.now, further); err != engine.ErrMigrationDisabled {
		t.Errorf("a server: %v", err)
	}
}

// dial has a real client send its first flight.
func (p *puppet) dial(t *testing.T) {
	p.start()
	if p.conn == nil {
		t.Fatal("no connection")
	}
}

// A path on which nobody answers is not used, and its ID is retired; that nothing moves
// there before is said. A probe of the path in use that fails changes nothing.
func TestProbeWithoutAnswer(t *testing.T) {
	p := newMigrant(t, 2)
	if err := p.conn.ProbePath(p.now, further); err != nil {
		t.Fatal(err)
	}
	p.poll()
	if err := p.conn.SwitchPath(p.now, further); err != engine.ErrPathNotUsable {
		t.Fatalf("before the answer: %v", err)
	}
	p.advance(10 * time.Second)
	probes := 0
	for _, f := range p.frames {
		if f.kind() == wire.FramePathChallenge {
			probes++
		}
	}
	if probes < 2 || probes > 5 || !p.heard(engine.EventPaths) || p.conn.PathStanding(further) != engine.PathUnknown {
		t.Fatalf("%d probes, then standing %d", probes, p.conn.PathStanding(further))
	}
	if n := p.count(wire.FrameRetireConnectionID); n == 0 {
		t.Error("the ID is not retired")
	}
	first := p.conn.Path()
	p.ack()
	if err := p.conn.ProbePath(p.now, first); err != nil {
		t.Fatal(err)
	}
	p.advance(10 * time.Second)
	if p.conn.Path() != first || p.conn.PathStanding(first) != engine.PathUnknown {
		t.Fatalf("on %v, standing %d", p.conn.Path(), p.conn.PathStanding(first))
	}
	p.frames = nil
	p.probe(first)
	if p.conn.PathStanding(first) != engine.PathUsable {
		t.Fatal("a later probe was answered")
	}
	p.wantOpen()
}

// What does not come from where the client knows its server is dropped, on each socket.
func TestOnlyPathsOfClient(t *testing.T) {
	p := newMigrant(t, 2)
	for _, socket := range []uint8{0, 1, 2} {
		p.by(socket, func() { p.from(strangerAddr, func() { p.send(wire.AppSpace, ping()) }) })
	}
	p.by(1, func() { p.send(wire.AppSpace, pathChallenge("somewhere")) })
	p.advance(time.Second)
	p.silence()
	p.probe(further)
	p.by(1, func() { p.send(wire.AppSpace, pathChallenge("knownpath")) })
	if f := p.wantKind(wire.FramePathResponse); f.socket != 1 || f.dst != peerID(1) {
		t.Fatalf("the answer leaves by socket %d to ID %q", f.socket, f.dst)
	}
	p.wantOpen()
}

// preferring is a server that wants its client elsewhere.
func preferring(to string) func(*puppet) {
	return func(p *puppet) {
		p.editTP = func(tp *wire.TransportParameters) {
			tp.DisableActiveMigration = true
			tp.PreferredAddress = &wire.PreferredAddress{
				IPv4: netip.MustParseAddrPort(to), IPv6: netip.MustParseAddrPort("[2001:db8::1]:9"), ID: connID(peerID(1)), Token: tokenOf(peerID(1)),
			}
		}
	}
}

// A client goes to its server's preferred address when that has answered, by the ID that
// came with it, and retires that of the old address, from which it still takes packets
// (RFC 9000, Section 9.6). After that it may move, though the server asked it to stay.
func TestClientFollowsServer(t *testing.T) {
	p := newClient(t, preferring(elsewhere.String()))
	p.handshake()
	p.advance(1100 * time.Millisecond) // until it is repeated
	var probe seenFrame
	for f, ok := p.next(); ok; f, ok = p.next() {
		if f.kind() == wire.FramePathChallenge {
			probe = f
		} else if f.to == elsewhere {
			t.Fatalf("%v goes to an address that is not validated", f) // RFC 9000, Section 21.5.3
		}
	}
	if probe.to != elsewhere || probe.dst != peerID(1) || probe.size != 1200 {
		t.Fatalf("the probe goes to %v, ID %q, in %d bytes", probe.to, probe.dst, probe.size)
	}
	if err := p.conn.ProbePath(p.now, further); err != engine.ErrMigrationDisabled {
		t.Fatalf("probing before: %v", err)
	}
	p.from(elsewhere, func() { p.send(wire.AppSpace, pathResponse(probe.pathData()), newConnID(2, 0, peerID(2))) })
	if p.conn.Path().Remote != elsewhere {
		t.Fatalf("the client is on %v", p.conn.Path())
	}
	p.want(ping())
	f := p.wantKind(wire.FrameRetireConnectionID)
	if f.number() != 0 || f.to != elsewhere || f.dst != peerID(1) {
		t.Fatalf("%v to %v, ID %q", f, f.to, f.dst)
	}
	p.send(wire.AppSpace, stream(1, 0, "from the old address", false))
	if p.conn.StreamByID(1) == nil {
		t.Error("a packet from the old address is dropped")
	}
	p.frames = nil
	if f := p.probe(path.Addrs{Remote: elsewhere, Socket: 1}); f.dst != peerID(2) {
		t.Errorf("a further path has ID %q", f.dst)
	}
	p.wantOpen()
}

// A client stays if it is told to, if the preferred address does not answer, and if that
// has a meaning on its own machine only (RFC 9000, Sections 9.6.1 and 21.5.3).
func TestClientDoesNotFollow(t *testing.T) {
	for name, p := range map[string]*puppet{
		"told to":      newClient(t, preferring(elsewhere.String()), func(p *puppet) { p.config.IgnorePreferredAddress = true }),
		"loopback":     newClient(t, preferring("127.0.0.1:53")),
		"multicast":    newClient(t, preferring("224.0.0.251:5353")),
		"port 0":       newClient(t, preferring("203.0.113.77:0")),
		"where it is":  newClient(t, preferring(puppetAddr.String())),
		"other family": newClient(t, func(p *puppet) { preferring("0.0.0.0:0")(p) }),
	} {
		p.handshake()
		p.advance(5 * time.Second)
		if n := p.count(wire.FramePathChallenge); n != 0 || p.conn.Path().Remote != puppetAddr {
			t.Errorf("%s: %d probes, on %v", name, n, p.conn.Path())
		}
	}
	p := newClient(t, preferring(elsewhere.String()))
	p.handshake()
	p.ack()
	p.advance(10 * time.Second)
	if p.conn.Path().Remote != puppetAddr || p.sentTo[elsewhere] == 0 || p.sentTo[elsewhere] > 5*1200 {
		t.Errorf("%d bytes to an address that does not answer, on %v", p.sentTo[elsewhere], p.conn.Path())
	}
	p.wantOpen()
}

// A server tells where it wants its client, with an ID, and sends there nothing but probes
// before the client has answered one, and has said something that is none (RFC 9000,
// Sections 9.6.1 and 9.6.2).
func TestServerPrefersAddress(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.PreferredIPv4, p.config.DisableActiveMigration = elsewhere, true })
	p.handshake()
	a := p.peer.PreferredAddress
	if a == nil || a.IPv4 != elsewhere || a.IPv6.IsValid() || !p.peer.DisableActiveMigration {
		t.Fatalf("parameters %+v", p.peer)
	}
	for f, ok := p.next(); ok; f, ok = p.next() {
		if f.kind() == wire.FrameNewConnectionID && f.newConnID().Seq < 2 {
			t.Fatalf("%v: that number is the preferred address'", f)
		}
	}
	p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
	old := p.path
	p.remote, p.path.Local, p.path.Socket = a.ID, elsewhere.Addr(), 1
	p.send(wire.AppSpace, ping())
	if p.conn.Path() != old {
		t.Fatalf("the server sends on %v before it has an answer", p.conn.Path())
	}
	challenge := p.wantKind(wire.FramePathChallenge)
	if challenge.socket != 1 || challenge.dst != peerID(1) {
		t.Fatalf("the challenge leaves by socket %d to ID %q", challenge.socket, challenge.dst)
	}
	p.send(wire.AppSpace, pathResponse(challenge.pathData()))
	if p.conn.Path() != old {
		t.Fatalf("the server sends on %v, though the client has only answered", p.conn.Path())
	}
	p.send(wire.AppSpace, ping())
	if p.conn.Path() != p.path {
		t.Fatalf("the server sends on %v", p.conn.Path())
	}
	p.send(wire.AppSpace, retireConnID(0))
	p.wantOpen()
}

// The routes of a connection are what a packet may be sent to, and their number of changes
// tells when to look again.
func TestRoutes(t *testing.T) {
	p := newMigrant(t, 2)
	ids, tokens := p.conn.Routes()
	if len(ids) != p.conn.Held().LocalIDs || len(tokens) > 1 {
		t.Fatalf("%d IDs and %d tokens", len(ids), len(tokens))
	}
	changes := p.conn.RoutesChanges()
	p.probe(further)
	if _, more := p.conn.Routes(); len(more) != len(tokens)+1 || more[len(more)-1] != tokenOf(peerID(1)) && more[0] != tokenOf(peerID(1)) || p.conn.RoutesChanges() == changes {
		t.Fatalf("tokens %x", more)
	}
	changes = p.conn.RoutesChanges()
	p.send(wire.AppSpace, retireConnID(1))
	if again, _ := p.conn.Routes(); len(again) != len(ids) || again[0] != ids[0] || again[1] == ids[1] || p.conn.RoutesChanges() == changes {
		t.Fatalf("IDs %v, were %v", again, ids)
	}
	if p.conn.ProbePath(p.now, further) != nil {
		t.Fatal("the path cannot be probed again")
	}
	p.conn.CloseAfterSending(p.now, 1, "")
	p.poll()
	if err := p.conn.ProbePath(p.now, further); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// Who comes to a server's preferred address from an address that is not the client's gets
// three times what he sends, and a challenge (RFC 9000, Section 9.6.3).
func TestStrangerAtPreferredAddress(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.PreferredIPv4 = elsewhere })
	p.handshake()
	p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
	old := p.path
	p.remote = p.peer.PreferredAddress.ID
	p.path = path.Addrs{Local: elsewhere.Addr(), Remote: strangerAddr, Socket: 1}
	p.frames = nil
	move := p.packet(wire.AppSpace, ping(), padding(40))
	p.raw(move)
	if f := p.wantKind(wire.FramePathChallenge); f.to != strangerAddr || f.socket != 1 || f.dst != peerID(1) {
		t.Errorf("%v to %v by socket %d, ID %q", f, f.to, f.socket, f.dst)
	}
	p.advance(2 * time.Second)
	if got := p.sentTo[strangerAddr]; got == 0 || got > 3*len(move) || p.conn.Path() != old {
		t.Errorf("%d bytes for %d; the server sends on %v", got, len(move), p.conn.Path())
	}
	p.wantOpen()
}
