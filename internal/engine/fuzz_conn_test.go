package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// The operations of a FuzzConn program: a byte each, followed by the length of
// its data and the data.
const (
	opSealApp   = iota // an authentic 1-RTT packet with these frames
	opSealEarly        // an authentic Initial or Handshake packet
	opRaw              // a datagram of these bytes
	opRawToID          // a datagram that begins like one for the connection
	opFlip             // an authentic packet with a bit flipped
	opAck              // acknowledge everything
	opAdvance          // let time pass
	opMove             // come from another address
	opApp              // the application does something
	opAnswer           // answer the last challenge
	opPath             // a client probes a path, takes it, or leaves it
	numOps
)

// program writes FuzzConn's input.
func program(steps ...[]byte) (b []byte) {
	for _, s := range steps {
		b = append(b, s[0], byte(len(s)-1))
		b = append(b, s[1:]...)
	}
	return b
}

func step(op byte, data ...byte) []byte { return append([]byte{op}, data...) }

// FuzzConn lets a peer with the right keys say anything at all, before, during
// and after the handshake, to an endpoint whose application reads and writes.
// Nothing may panic, the invariants must hold after each step, and in the end
// nothing may be left.
func FuzzConn(f *testing.F) {
	for _, row := range frameRows() {
		if len(row.frame) < 200 {
			f.Add(true, uint8(2), program(step(opSealApp, row.frame...)))
			f.Add(false, uint8(2), program(step(opSealApp, row.frame...), step(opAdvance, 40), step(opAck)))
			f.Add(true, uint8(1), program(step(opSealEarly, row.frame...)))
		}
	}
	f.Add(true, uint8(2), program(step(opApp, 0, 200), step(opAdvance, 3), step(opMove, 1), step(opSealApp, ping()...), step(opAdvance, 100), step(opAck)))
	f.Add(false, uint8(2), program(step(opApp, 2, 9), step(opFlip, 5, 1), step(opRawToID, 1, 2, 3), step(opAdvance, 255)))
	f.Add(false, uint8(2), program(step(opSealApp, newConnID(1, 0, peerID(1))...), step(opPath, 1), step(opAnswer), step(opPath, 5), step(opMove, 16), step(opApp, 0, 200), step(opAck), step(opPath, 4), step(opPath, 9)))
	f.Add(false, uint8(8+2), program(step(opAdvance, 40), step(opMove, 3), step(opAnswer), step(opApp, 0, 200), step(opPath, 1), step(opAnswer), step(opPath, 5)))
	f.Add(true, uint8(8+2), program(step(opMove, 16), step(opSealApp, ping()...), step(opAnswer), step(opSealApp, ping()...), step(opApp, 0, 200), step(opAdvance, 90)))
	f.Add(true, uint8(0), program(step(opRaw, 0xc0, 0, 0, 0, 1, 8), step(opRaw)))
	f.Fuzz(func(t *testing.T, server bool, stage uint8, in []byte) {
		side := wire.ClientSide
		if server {
			side = wire.ServerSide
		}
		p := newRole(t, side, func(p *puppet) {
			if p.config.Datagrams = stage&4 != 0; stage&8 != 0 {
				p.config.PreferredIPv4 = churnAddr(3)
				p.editTP = func(tp *wire.TransportParameters) {
					if !server {
						tp.PreferredAddress = &wire.PreferredAddress{IPv4: churnAddr(3), ID: connID(peerID(1)), Token: tokenOf(peerID(1))}
					}
				}
			}
		})
		switch stage % 4 % 3 {
		case 0:
			p.start()
		case 1:
			p.reachHandshake()
		case 2:
			p.handshake()
		}
		p.deaf = true
		z := &fuzzed{puppet: p}
		for steps := 0; len(in) >= 2 && steps < 200; steps++ {
			op, n := in[0], min(int(in[1]), len(in)-2)
			z.do(op%numOps, in[2:2+n])
			in = in[2+n:]
		}
		if p.conn == nil {
			return
		}
		p.conn.Close(p.now, 0, "the end")
		p.poll()
		p.path.Remote, p.path.Socket = puppetAddr, 0
		p.advance(2 * time.Minute)
		if n := p.endpoint.Conns(); n > 1 { // a datagram to another ID may have begun a second one
			t.Fatalf("%d connections are left", n)
		}
		if err := p.endpoint.CheckEmpty(); err != nil {
			t.Fatal(err)
		}
	})
}

// fuzzed is a puppet under control of a program.
type fuzzed struct {
	*puppet
	streams   []*engine.Stream // in the order of appearance
	challenge wire.PathData    // the last
}

// travel has a client do something about one of its paths.
func (z *fuzzed) travel(what byte) {
	if z.conn == nil {
		return
	}
	a := path.Addrs{Remote: z.conn.Path().Remote, Socket: what % 4}
	switch what / 4 % 3 {
	case 0:
		_ = z.conn.ProbePath(z.now, a) // it may not be allowed to
	case 1:
		usable := z.conn.PathStanding(a) == engine.PathUsable
		if err := z.conn.SwitchPath(z.now, a); err == nil && !usable && a != z.conn.Path() {
			z.t.Fatalf("it sends on %v, which was not usable", a)
		}
	case 2:
		if err := z.conn.LeavePath(a); err == nil && a == z.conn.Path() {
			z.t.Fatalf("it has left %v, on which it sends", a)
		}
	}
	z.poll()
}

func (z *fuzzed) do(op byte, data []byte) {
	z.t.Helper()
	first := byte(0)
	if len(data) > 0 {
		first = data[0]
	}
	switch op {
	case opSealApp:
		if z.keys.CanWrite() {
			z.send(wire.AppSpace, padding(4), frame(data))
		}
	case opSealEarly:
		space := wire.Space(first & 1)
		if z.sealers[space].Valid() && len(data) > 0 {
			z.send(space, padding(4), frame(data[1:]))
		}
	case opRaw:
		z.raw(data)
	case opRawToID:
		z.raw(append(append([]byte{0x40}, z.remote.Bytes()...), data...))
	case opFlip:
		if z.keys.CanWrite() {
			b := z.packet(wire.AppSpace, padding(4), frame(data))
			b[int(first)%len(b)] ^= 1 << (first >> 5)
			z.raw(b)
		}
	case opAck:
		if z.keys.CanWrite() && len(z.spaces[wire.AppSpace].received) > 0 {
			z.ack()
		}
	case opAdvance:
		z.advance(time.Duration(first) * time.Duration(first) * time.Millisecond)
	case opMove:
		z.path.Remote, z.path.Socket = churnAddr(int(first%4)), first>>4%3
	case opApp:
		z.act(data)
	case opAnswer:
		if z.keys.CanWrite() {
			z.send(wire.AppSpace, pathResponse(z.challenge))
		}
	case opPath:
		z.travel(first)
	}
	z.readAll()
}

// act is the application: it opens, writes, resets, stops, updates keys.
func (z *fuzzed) act(data []byte) {
	z.t.Helper()
	if z.conn == nil || len(data) < 2 {
		return
	}
	if s, err := z.conn.OpenStream(data[0]&1 != 0); err == nil {
		z.streams = append(z.streams, s)
	}
	for _, s := range z.streams {
		if uint64(s.ID)%4 != uint64(data[0])%4 {
			continue
		}
		switch n := int(data[1]); {
		case n < 200 && s.Sends():
			if _, err := s.Send.Write(make([]byte, n*30)); err == nil {
				z.conn.StreamWritten(s)
			}
		case n < 220 && s.Sends():
			if s.Send.CloseWrite() == nil {
				z.conn.StreamWritten(s)
			}
		case n < 240 && s.Sends():
			z.conn.ResetStream(s, uint64(n))
		case s.Receives():
			z.conn.StopSending(z.now, s, uint64(n))
		}
	}
	_ = z.conn.UpdateKeys(z.now) // too soon, mostly
	z.poll()
}

// readAll reads what there is on all streams.
func (z *fuzzed) readAll() {
	z.t.Helper()
	for _, e := range z.events {
		if e.Kind == engine.EventStreamOpened {
			z.streams = append(z.streams, e.Stream)
		}
	}
	z.events = z.events[:0]
	buf := make([]byte, 4096)
	for _, s := range z.streams {
		if !s.Receives() || s.ID%3 == 0 { // an application that does not read all of them
			continue
		}
		for {
			n, err := s.Recv.Read(buf)
			if s.Recv.Consumed() {
				z.conn.StreamConsumed(z.now, s)
			}
			if n == 0 || err != nil {
				break
			}
		}
	}
	if z.conn != nil {
		z.poll()
	}
	for _, f := range z.frames {
		if f.kind() == wire.FramePathChallenge {
			z.challenge = f.pathData()
		}
	}
	z.frames = nil
}
