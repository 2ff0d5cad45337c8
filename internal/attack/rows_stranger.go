package attack

import (
	"encoding/binary"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/wire"
)

var strangerRows = []Row{
	{Name: "garbage", Class: "garbage", run: flood(func(a *attacker) []byte { return a.garbage(200) }),
		Does: "sends random datagrams of 200 bytes"},
	{Name: "short-headers", Class: "Stateless reset / loop DoS", run: flood(shortOfNobody),
		Does: "sends short headers of connections that do not exist, to have them reset"},
	{Name: "unknown-versions", Class: "amplification", run: flood(unknownVersion),
		Does: "sends full Initial packets of a version that nobody speaks"},
	{Name: "forged-initials", Class: "Accept/Initial flood", run: flood(forgedInitial),
		Does: "sends Initial packets that do not open, which costs the server the derivation of keys"},
	{Name: "empty-datagrams", Class: "Empty UDP / zero-length", run: flood(func(*attacker) []byte { return nil }),
		Does: "sends datagrams without a byte"},
	{Name: "handshakes-of-nobody", Class: "garbage", run: flood(func(a *attacker) []byte {
		b := a.garbage(1200)
		copy(b, []byte{0xe3, 0, 0, 0, 1, localIDLen})
		return b
	}), Does: "sends Handshake packets of connections that do not exist"},
}

// flood sends datagrams of which nothing is known, up to 100,000 a second from
// changing addresses.
func flood(datagram func(a *attacker) []byte) func(a *attacker) error {
	return func(a *attacker) error {
		var b []byte
		back := 0
		a.stray = func(b []byte, _ netip.Addr) { back += len(b) }
		a.begun()
		n := a.repeat(100_000, func(i int) bool {
			if b == nil || i%16 == 0 {
				b = datagram(a)
			} else if len(b) > 24 { // a train of 16 differs in the connection ID
				binary.BigEndian.PutUint32(b[8:], a.rand.Uint32())
			}
			a.sock.queue(stranger(i/16%1000), b)
			return true
		})
		a.notef("%d datagrams, %d bytes back", n, back)
		return nil
	}
}

func shortOfNobody(a *attacker) []byte {
	b := a.garbage(100)
	b[0] = 0x40 | b[0]&0x3f
	return b
}

func unknownVersion(a *attacker) []byte {
	b := a.garbage(1200)
	copy(b, []byte{0xc3, 0xfa, 0xce, 0xb0, 0x0c, 8})
	b[14] = 8 // the length of the source ID
	return b
}

// forgedInitial has a header that is right in all it says.
func forgedInitial(a *attacker) []byte {
	dst, local := a.randomID(), a.randomID()
	b, lengthAt := wire.AppendLongHeader(nil, wire.InitialPacket, wire.Version1, &dst, &local, nil, 0, pnLen)
	b = append(b, a.garbage(wire.MinUDPPayloadSize-len(b))...)
	wire.PutLength(b, lengthAt, len(b)-lengthAt-2)
	return b
}
