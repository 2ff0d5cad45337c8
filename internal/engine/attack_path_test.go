package engine_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Attack: PATH_CHALLENGE flood. However many challenges come, few answers
// wait, each challenge has at most one, and a peer that acknowledges nothing
// stops them once the congestion window is full.
func TestAttackPathChallengeFlood(t *testing.T) {
	p := newServer(t)
	p.handshake()
	var flood []frame
	for i := range 100 {
		flood = append(flood, pathChallenge(fmt.Sprint(i)))
	}
	p.queue(wire.AppSpace, flood...)
	if n := p.conn.Held().PathAnswers; n > engine.MaxPathAnswers {
		t.Fatalf("%d answers wait", n)
	}
	p.poll()
	if n := p.count(wire.FramePathResponse); n == 0 || n > engine.MaxPathAnswers {
		t.Fatalf("%d answers were sent", n)
	}
	limit := p.conn.Stats().CongestionWindow/1200 + engine.MaxPathAnswers + 1
	for range 5000 {
		p.send(wire.AppSpace, pathChallenge("flooding"))
	}
	if n := p.count(wire.FramePathResponse); n == 0 || n > limit {
		t.Fatalf("%d answers without an acknowledgment, want at most %d", n, limit)
	}
	p.wantOpen()
}

// Attack: PATH_CHALLENGE flood from more addresses than paths are kept, all before an
// answer could leave. A path that is forgotten takes its answer with it, and gets no
// connection ID of the peer's that nobody would take back.
func TestAttackPathChallengeFloodFromManyPorts(t *testing.T) {
	p := newServer(t)
	p.handshake()
	const issued = engine.MaxPeerIDs - 1
	for seq := uint64(1); seq <= issued; seq++ {
		p.send(wire.AppSpace, newConnID(seq, 0, peerID(seq)))
	}
	for i := range 5 {
		p.from(netip.AddrPortFrom(puppetAddr.Addr(), uint16(5000+i)), func() {
			p.queue(wire.AppSpace, pathChallenge(fmt.Sprint("attack", i)), padding(1100))
		})
	}
	p.poll()
	if n := p.count(wire.FramePathResponse); n == 0 || n >= path.Max {
		t.Errorf("%d answers on the %d paths beside the one in use", n, path.Max-1)
	}
	if h := p.conn.Held(); h.PeerIDs+h.Retiring != 1+issued {
		t.Errorf("%d IDs kept and %d to retire, want %d together", h.PeerIDs, h.Retiring, 1+issued)
	}
	p.wantOpen()
	p.send(wire.AppSpace, connClose(0))
	p.wantForgotten()
}

// One challenge has one answer, with its data, in a full-sized datagram on the
// path it came on (RFC 9000, Section 8.2.2).
func TestPathChallengeAnswered(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.send(wire.AppSpace, pathChallenge("whoisit?"))
		f := p.wantKind(wire.FramePathResponse)
		if f.pathData() != pathData("whoisit?") || f.size != 1200 || f.to != puppetAddr {
			t.Fatalf("%v: %v to %v in %d bytes", side, f, f.to, f.size)
		}
		p.want(ping()) // Section 9.3.3
		p.silence()
	}
}

// Attack: spoofed source, on migration. Probes with several challenges from an
// address that was never validated get no more than three times their size.
func TestAttackProbeAmplification(t *testing.T) {
	p := newServer(t)
	p.handshake()
	var sent int
	for i := range 20 {
		n := 1 + i%6
		var probe []frame
		for j := range n {
			probe = append(probe, pathChallenge(fmt.Sprint(i, j)))
		}
		probe = append(probe, padding(i*40))
		b := p.packet(wire.AppSpace, probe...)
		sent += len(b)
		p.from(strangerAddr, func() { p.raw(b) })
		if got := p.sentTo[strangerAddr]; got > 3*sent {
			t.Fatalf("%d challenges: sent %d bytes for %d", n, got, sent)
		}
	}
	if p.sentTo[strangerAddr] == 0 {
		t.Fatal("no probe was answered")
	}
	p.wantOpen()
}

// Attack: spoofed source, on migration. A peer that seems to move gets at most
// three times what it sent from the new address until it answers a challenge.
func TestAttackMigrationAmplification(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, stream(0, 0, "give me much", true))
	s := p.events[0].Stream
	if _, err := s.Send.WriteLast(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	move := p.packet(wire.AppSpace, ping())
	p.from(strangerAddr, func() { p.raw(move) })
	p.conn.StreamWritten(s)
	p.advance(2 * time.Second)
	if got := p.sentTo[strangerAddr]; got == 0 || got > 3*len(move) {
		t.Fatalf("sent %d bytes for %d", got, len(move))
	}
	p.wantOpen()
}

// After an answered challenge the new address counts as the peer's; without an
// answer the connection goes back to the old one (RFC 9000, Section 9.3.2).
func TestPathValidation(t *testing.T) {
	for _, answered := range []bool{true, false} {
		p := newServer(t)
		p.handshake()
		p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(1100)) })
		if p.conn.Path().Remote != strangerAddr {
			t.Fatal("the new address is not used")
		}
		challenge, other := p.wantKind(wire.FramePathChallenge), p.wantKind(wire.FramePathChallenge)
		if challenge.to != strangerAddr || other.to != puppetAddr { // RFC 9000, Sections 9.3 and 9.3.3
			t.Fatalf("challenges went to %v and %v", challenge.to, other.to)
		}
		want := puppetAddr
		if answered {
			want = strangerAddr
			p.from(strangerAddr, func() { p.send(wire.AppSpace, pathResponse(challenge.pathData())) })
		} else {
			p.send(wire.AppSpace, pathResponse(pathData("a guess!")))
		}
		p.advance(5 * time.Second)
		if got := p.conn.Path().Remote; got != want {
			t.Fatalf("answered %v: the path leads to %v, want %v", answered, got, want)
		}
		p.wantOpen()
	}
}

// Attack: path churn. A peer that comes from a new address with every packet
// makes the endpoint keep two paths, and its events and IDs stay bounded.
func TestAttackPathChurn(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for seq := uint64(1); seq < engine.MaxPeerIDs; seq++ {
		p.send(wire.AppSpace, newConnID(seq, 0, fmt.Sprint("puppet-", seq+1)))
	}
	p.ack()
	before := p.conn.Held()
	for i := range 3000 {
		p.path.Remote = churnAddr(i)
		p.deliver(p.packet(wire.AppSpace, ping(), padding(30)))
	}
	after := p.conn.Held()
	if after.Events > before.Events+2 {
		t.Errorf("%d events wait", after.Events)
	}
	if after.PeerIDs < 1 || after.Retiring > engine.MaxRetiring {
		t.Errorf("%d IDs, %d to retire", after.PeerIDs, after.Retiring)
	}
	p.poll()
	p.path.Remote = puppetAddr
	p.advance(10 * time.Second)
	if got := p.conn.Path().Remote; got != puppetAddr {
		t.Errorf("the path leads to %v, want the validated %v", got, puppetAddr)
	}
	for a, n := range p.sentTo {
		if a != puppetAddr && n > 3*100 {
			t.Errorf("sent %d bytes to %v", n, a)
		}
	}
	p.wantOpen()
}

func churnAddr(i int) netip.AddrPort {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 0x0a000000+uint32(i))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(1000+i))
}

// Attack: path churn against a client. Servers do not move: what comes from
// another address is dropped (RFC 9000, Section 9).
func TestAttackServerMoves(t *testing.T) {
	p := newClient(t)
	p.handshake()
	before := p.conn.Stats()
	p.from(strangerAddr, func() { p.send(wire.AppSpace, pathChallenge("moved"), stream(1, 0, "x", false)) })
	p.silence()
	if n := p.sentTo[strangerAddr]; n != 0 {
		t.Errorf("sent %d bytes to an unknown server", n)
	}
	if got := p.conn.Stats().ReceivedPackets; got != before.ReceivedPackets {
		t.Errorf("%d packets were processed", got-before.ReceivedPackets)
	}
	if p.conn.Path().Remote != puppetAddr {
		t.Error("the client changed its path")
	}
	p.wantOpen()
}

// Attack: a PATH_RESPONSE that answers nothing validates nothing.
func TestAttackForgedPathResponse(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.from(strangerAddr, func() {
		p.send(wire.AppSpace, ping())
		p.send(wire.AppSpace, pathResponse(pathData("forged")))
		p.send(wire.AppSpace, pathResponse(wire.PathData{}))
	})
	p.advance(5 * time.Second)
	if got := p.conn.Path().Remote; got != puppetAddr {
		t.Fatalf("the path leads to %v without proof", got)
	}
	p.wantOpen()
}

// A challenge that left in a small datagram, as no more might be sent to the address, shows
// when it is answered that the peer is there, and a full one has to follow: without an answer
// to that the connection goes back (RFC 9000, Sections 8.2.1 and 8.2.3). Answers count
// whichever path they come on (Section 8.2.2).
func TestSmallChallengeIsRepeated(t *testing.T) {
	for _, answered := range []bool{true, false} {
		p := newServer(t)
		p.handshake()
		p.from(strangerAddr, func() { p.send(wire.AppSpace, ping(), padding(100)) })
		first, old := p.wantKind(wire.FramePathChallenge), p.wantKind(wire.FramePathChallenge)
		if first.to != strangerAddr || first.size >= 1200 || old.to != puppetAddr || first.pathData() == old.pathData() {
			t.Fatalf("%v to %v in %d bytes, and %v to %v", first, first.to, first.size, old, old.to)
		}
		p.send(wire.AppSpace, pathResponse(first.pathData()))
		second := p.wantKind(wire.FramePathChallenge)
		if second.to != strangerAddr || second.size != 1200 || second.pathData() == first.pathData() {
			t.Fatalf("%v to %v in %d bytes", second, second.to, second.size)
		}
		want := puppetAddr
		if answered {
			want = strangerAddr
			p.from(strangerAddr, func() { p.send(wire.AppSpace, pathResponse(second.pathData())) })
		}
		p.advance(10 * time.Second)
		if got := p.conn.Path().Remote; got != want {
			t.Errorf("answered %v: the path leads to %v, want %v", answered, got, want)
		}
		p.wantOpen()
	}
}

// A client that moves though it was asked to stay is followed (RFC 9000, Section 9).
func TestMoveAgainstWishes(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.DisableActiveMigration = true })
	p.handshake()
	p.from(strangerAddr, func() {
		p.send(wire.AppSpace, ping(), padding(1100))
		p.send(wire.AppSpace, pathResponse(p.wantKind(wire.FramePathChallenge).pathData()))
	})
	p.advance(10 * time.Second)
	if got := p.conn.Path().Remote; got != strangerAddr || len(p.answers) != 0 {
		t.Fatalf("the path leads to %v; %d answers", got, len(p.answers))
	}
	p.wantOpen()
}
