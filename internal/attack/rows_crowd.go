package attack

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/wire"
)

var crowdRows = []Row{
	{Name: "pings-10", Class: "frame flood", run: manyFloods(10),
		Does: "fills packets with PING frames on 10 connections at once"},
	{Name: "pings-200", Class: "frame flood", run: manyFloods(200),
		Does: "the same on 200 connections"},
	{Name: "undecryptable", Class: "frame flood", run: undecryptable,
		Does: "sends packets to a connection of its own that do not open"},
	{Name: "coalesced", Class: "frame flood", run: coalesced,
		Does: "fills datagrams with Handshake packets that do not open, to a connection of its own"},
	{Name: "path-answers", Class: "PATH_CHALLENGE flood", run: pathAnswers,
		Does: "challenges the server on four paths at once, and acknowledges nothing"},
	{Name: "version-lists", Class: "Transport params", run: versionLists,
		Does: "sends 2,000 hellos a second that list 100 versions, each from an address of its own"},
	{Name: "version-changes", Class: "Accept/Initial flood", run: versionChanges,
		Does: "sends Initial packets of both versions to the same connection IDs, in turn"},
}

// manyFloods is the frame flood of several connections in turn, each of which has a fraction of
// what a flood has.
func manyFloods(n int) func(a *attacker) error {
	return func(a *attacker) error {
		conns, err := a.dialMany(n, dialing{})
		if err != nil {
			return err
		}
		var b []byte
		for len(b) < maxPayload {
			b = wire.AppendPing(b)
		}
		a.begun()
		a.eachConn(100_000, conns, func(c *conn) bool { c.send(b); return true })
		a.notef("%s", ends(conns))
		return nil
	}
}

func undecryptable(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	b := append([]byte{0x40}, c.remote.Bytes()...)
	b = append(b, a.garbage(wire.MinUDPPayloadSize-len(b))...)
	a.begun()
	a.eachConn(100_000, []*conn{c}, func(c *conn) bool { a.sock.queue(c.from, b); return true })
	a.notef("%s", ends([]*conn{c}))
	return nil
}

func coalesced(a *attacker) error {
	c, err := a.begin(dialing{})
	if err != nil {
		return err
	}
	delete(a.conns, c.local) // a handshake that goes no further keeps its keys
	var b []byte
	for len(b) < wire.MinUDPPayloadSize-60 {
		pkt, lengthAt := wire.AppendLongHeader(nil, wire.HandshakePacket, wire.Version1, &c.remote, &c.local, nil, 0, pnLen)
		pkt = append(pkt, a.garbage(20)...)
		wire.PutLength(pkt, lengthAt, len(pkt)-lengthAt-2)
		b = append(b, pkt...)
	}
	a.begun()
	n := a.repeat(50_000, func(int) bool { a.sock.queue(c.from, b); return true })
	a.notef("%d datagrams", n)
	return nil
}

// pathAnswers wants its challenges answered on the path in use, however full others are.
func pathAnswers(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.mute = true
	answered := false
	mark := wire.PathData{'m', 'i', 'n', 'e'}
	c.onFrame = func(t wire.FrameType, body []byte) {
		answered = answered || t == wire.FramePathResponse && wire.PathData(body[:8]) == mark
	}
	home, padding := c.from, make([]byte, maxPayload-20)
	a.begun()
	a.eachConn(20_000, []*conn{c}, func(c *conn) bool {
		at := c.a.sock.packets % 4
		b := wire.AppendPathChallenge(c.payload[:0], wire.PathData{byte(at)})
		if c.from = home; at > 0 {
			c.from = netip.AddrFrom4([4]byte{127, 69, 0, byte(at)})
			b = append(b, padding...)
		} else {
			b = wire.AppendPathChallenge(b, mark)
		}
		c.payload = b
		c.send(b)
		return true
	})
	if !answered {
		a.brokenf("no challenge on the path in use was answered (RFC 9000, Section 8.2.2)")
	}
	a.notef("%s", ends([]*conn{c}))
	return nil
}

// versionLists begins handshakes whose hello makes the server choose from many versions.
func versionLists(a *attacker) error {
	k, err := a.newKnockerWith(func(p *wire.TransportParameters) {
		v := &wire.VersionInformation{Chosen: wire.Version1}
		for i := range wire.Version(100) {
			v.Available = append(v.Available, 0x1a2a3a4a+i<<8)
		}
		v.Available = append(v.Available, wire.Version1)
		p.VersionInformation = v
	})
	if err != nil {
		return err
	}
	a.stray = func([]byte, netip.Addr) { k.answers++ }
	a.begun()
	n := a.repeat(2000, func(i int) bool { k.knock(stranger(i), a.randomID(), nil, nil); return true })
	a.notef("%d hellos, %d datagrams back", n, k.answers)
	return nil
}

// versionChanges has the server look for the keys of one version and the other.
func versionChanges(a *attacker) error {
	k, err := a.newKnocker()
	if err != nil {
		return err
	}
	a.begun()
	dst := a.randomID()
	n := a.repeat(20_000, func(i int) bool {
		if i%16 == 0 {
			dst = a.randomID()
			k.knock(a.from, dst, nil, nil)
		}
		b := k.initial(&dst, nil, nil)
		if i%2 == 1 {
			b[1], b[2], b[3], b[4] = 0x6b, 0x33, 0x43, 0xcf // RFC 9369, Section 3.1
			b[0] = b[0]&^0x30 | 0x10                        // the type of an Initial packet there (Section 3.2)
		}
		a.sock.queue(a.from, b)
		return true
	})
	a.notef("%d packets", n)
	return nil
}
