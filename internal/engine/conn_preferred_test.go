package engine_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// newPreferring returns a client whose server wants it elsewhere, lets it move, and has given
// it further connection IDs; the probe has left.
func newPreferring(t *testing.T) (p *puppet, probe seenFrame) {
	p = newClient(t, preferring(elsewhere.String()), func(p *puppet) {
		edit := p.editTP
		p.editTP = func(tp *wire.TransportParameters) {
			edit(tp)
			tp.DisableActiveMigration = false
		}
	})
	p.handshake()
	p.send(wire.AppSpace, newConnID(2, 0, peerID(2)), newConnID(3, 0, peerID(3)))
	p.advance(1100 * time.Millisecond)
	for f, ok := p.next(); ok; f, ok = p.next() {
		if f.kind() == wire.FramePathChallenge && f.to == elsewhere {
			probe = f
		}
	}
	if probe.frame == nil {
		t.Fatal("the preferred address is not probed")
	}
	p.ack()
	return p, probe
}

// answer has the server answer a challenge from where it came to.
func (p *puppet) answer(f seenFrame) {
	p.t.Helper()
	p.by(f.socket, func() { p.from(f.to, func() { p.send(wire.AppSpace, pathResponse(f.pathData())) }) })
}

// A client that is at its server's preferred address stays there when a further path to the
// old one is answered late (RFC 9000, Section 9.6.3).
func TestLateAnswerOfOldAddress(t *testing.T) {
	p, probe := newPreferring(t)
	if err := p.conn.ProbePath(p.now, further); err != nil {
		t.Fatal(err)
	}
	p.poll()
	late := p.wantKind(wire.FramePathChallenge)
	p.answer(probe)
	if p.conn.Path().Remote != elsewhere || p.conn.PathStanding(further) != engine.PathUnknown {
		t.Fatalf("on %v, and the old address is %d by the other socket", p.conn.Path(), p.conn.PathStanding(further))
	}
	p.answer(late)
	if got := p.conn.Path(); got.Remote != elsewhere || got.Socket != 0 {
		t.Fatalf("on %v", got)
	}
	p.wantOpen()
}

// A client that has moved meanwhile does not come back for the preferred address, but asks
// for it from where it is, and goes there then (RFC 9000, Section 9.6.3).
func TestPreferredAfterMove(t *testing.T) {
	p, probe := newPreferring(t)
	p.probe(further)
	p.switchTo(further)
	p.answer(probe)
	if p.conn.Path() != further {
		t.Fatalf("on %v", p.conn.Path())
	}
	again := p.wantKind(wire.FramePathChallenge)
	if again.to != elsewhere || again.socket != 1 {
		t.Fatalf("the challenge goes to %v by socket %d", again.to, again.socket)
	}
	p.answer(again)
	if want := (path.Addrs{Remote: elsewhere, Socket: 1}); p.conn.Path() != want {
		t.Fatalf("on %v, want %v", p.conn.Path(), want)
	}
	p.wantOpen()
}

// Attack: a server names somebody else's address as the one that it prefers, and seems to
// send challenges from there, which it acknowledges unseen. The client sends no more there
// than a few probes and three times what came.
func TestAttackPreferredAddressAmplification(t *testing.T) {
	p := newClient(t, preferring(elsewhere.String()))
	p.handshake()
	came := 0
	for range 100 {
		b := p.packet(wire.AppSpace, pathChallenge("reflect!"), p.ackFrame(wire.AppSpace))
		came += len(b)
		p.from(elsewhere, func() { p.raw(b) })
	}
	p.advance(10 * time.Second)
	if got, most := p.sentTo[elsewhere], 3*came+10*1200; got > most {
		t.Errorf("%d bytes for %d", got, came)
	}
	p.wantOpen()
}

// An IPv4 address in the form of an IPv6 one is none that a server may prefer: nothing ever
// seems to come from there.
func TestPreferredAddressIsNotMapped(t *testing.T) {
	for _, to := range []string{"[::ffff:0.0.0.0]:53", "[::ffff:127.0.0.1]:53", "[::ffff:203.0.113.77]:9"} {
		p := newClient(t, func(p *puppet) {
			p.path.Remote = netip.MustParseAddrPort("[2001:db8::77]:443")
			p.editTP = func(tp *wire.TransportParameters) {
				tp.PreferredAddress = &wire.PreferredAddress{IPv6: netip.MustParseAddrPort(to), ID: connID(peerID(1)), Token: tokenOf(peerID(1))}
			}
		})
		p.handshake()
		p.advance(5 * time.Second)
		if n := len(p.sentTo); n != 1 {
			t.Errorf("%s: the client sends to %d addresses", to, n)
		}
	}
}

// The path in use is not probed before there are keys, and none by a server.
func TestProbeOfPathInUse(t *testing.T) {
	p := newClient(t)
	p.dial(t)
	sent := p.sent
	if err := p.conn.ProbePath(p.now, p.conn.Path()); err != engine.ErrNotConfirmed {
		t.Errorf("during the handshake: %v", err)
	}
	if p.poll(); p.sent != sent {
		t.Errorf("%d datagrams are sent", p.sent-sent)
	}
	s := newServer(t)
	s.handshake()
	if err := s.conn.ProbePath(s.now, s.conn.Path()); err != engine.ErrMigrationDisabled {
		t.Errorf("a server: %v", err)
	}
	s.poll()
	s.silence()
}

// A path whose connection ID the server has retired is used with another one.
func TestSwitchToPathWithoutID(t *testing.T) {
	p := newMigrant(t, 2)
	p.probe(further)
	p.send(wire.AppSpace, newConnID(3, 2, peerID(3)), newConnID(4, 2, peerID(4)))
	p.ack()
	p.frames = nil
	if f := p.switchTo(further); f.socket != 1 || f.dst == peerID(1) {
		t.Fatalf("ID %q by socket %d", f.dst, f.socket)
	}
	p.wantOpen()
}

// All paths by a socket are left together: to where the server was as well.
func TestLeaveSocket(t *testing.T) {
	p, probe := newPreferring(t)
	p.probe(further)
	p.switchTo(further)
	if err := p.conn.LeaveSocket(1); err != engine.ErrPathInUse {
		t.Errorf("leaving the socket in use: %v", err)
	}
	if err := p.conn.LeaveSocket(0); err != nil {
		t.Fatal(err)
	}
	p.poll()
	if n := p.count(wire.FrameRetireConnectionID); n != 2 {
		t.Errorf("%d IDs are retired, want those of both paths", n)
	}
	p.answer(probe)
	p.advance(5 * time.Second)
	if p.conn.Path() != further {
		t.Errorf("on %v", p.conn.Path())
	}
	p.wantOpen()
}

// A server keeps the path to go back to, though nothing could be sent there for once.
func TestFallbackIsNotLeft(t *testing.T) {
	p := newServer(t)
	p.handshake()
	old := p.conn.Path()
	p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(1100)) })
	if err := p.conn.LeavePath(old); err != nil {
		t.Fatal(err)
	}
	p.advance(5 * time.Second)
	if got := p.conn.Path(); got != old {
		t.Errorf("on %v", got)
	}
	p.wantOpen()
}
