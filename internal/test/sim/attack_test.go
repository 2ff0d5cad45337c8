package sim

import (
	"bytes"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// attacker sits on the path, reads everything, lets everything pass, and adds
// packets of its own.
type attacker struct {
	chance
	rate  float64
	forge []forgery
	// race makes the forged packet arrive before the genuine one.
	race bool

	kept []Packet // genuine packets seen, the oldest first
}

// forgery makes a packet from the one that passes.
type forgery func(a *attacker, p Packet) Packet

// keptPackets is how far back the attacker remembers.
const keptPackets = 64

// Pass implements Node.
func (a *attacker) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if dir == ToClient && p.To != clientAddr {
		return // to an address that the attacker made up
	}
	genuine := p
	genuine.Data = bytes.Clone(p.Data)
	a.kept = append(a.kept, genuine)
	a.kept = a.kept[max(0, len(a.kept)-keptPackets):]
	forged, attacks := Packet{}, a.hits(a.rate)
	if a.race && p.Data[0]&0x80 != 0 {
		attacks = false // who races a handshake wins: RFC 9000, Section 21.2
	}
	if attacks {
		forged = a.forge[a.rand.IntN(len(a.forge))](a, genuine)
		forged.Data = bytes.Clone(forged.Data)
		forged.To = p.To
		if dir == ToServer && forged.From == serverAddr || dir == ToClient && forged.From == clientAddr {
			forged.From = p.From // kept from the other direction: reflected
		}
	}
	if attacks && a.race {
		deliver(now, forged)
		deliver(now.Add(time.Microsecond), p)
		return
	}
	deliver(now, p)
	if attacks {
		deliver(now.Add(time.Duration(a.rand.Int64N(int64(10*time.Millisecond)))), forged)
	}
}

// noise is random bytes of any length.
func (a *attacker) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(a.rand.Uint32())
	}
	return b
}

func forgeNoise(a *attacker, p Packet) Packet {
	p.Data = a.noise(a.rand.IntN(1452))
	return p
}

func forgeTruncated(a *attacker, p Packet) Packet {
	p.Data = p.Data[:a.rand.IntN(len(p.Data))]
	return p
}

func forgeFlipped(a *attacker, p Packet) Packet {
	p.Data = bytes.Clone(p.Data)
	for range 1 + a.rand.IntN(4) {
		p.Data[a.rand.IntN(len(p.Data))] ^= 1 << a.rand.IntN(8)
	}
	return p
}

// forgeReplay repeats an old packet, of either direction.
func forgeReplay(a *attacker, _ Packet) Packet { return a.kept[a.rand.IntN(len(a.kept))] }

// forgeSpoofed repeats a packet from an address made up.
func forgeSpoofed(a *attacker, p Packet) Packet {
	if a.rand.IntN(2) == 0 {
		p = forgeReplay(a, p)
	}
	p.From = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, byte(a.rand.Uint32()), 1}), 4000)
	return p
}

// forgeReset looks like a packet of the connection and ends like a stateless
// reset might.
func forgeReset(a *attacker, p Packet) Packet {
	p.Data = append([]byte{0x40}, append(bytes.Clone(p.Data[1:min(9, len(p.Data))]), a.noise(12+a.rand.IntN(40))...)...)
	return p
}

// forgeVersions offers versions in the server's name, the client's among them.
func forgeVersions(a *attacker, p Packet) Packet {
	inv, ok := wire.ParseInvariant(p.Data, 8)
	if !ok || !inv.Long {
		return forgeNoise(a, p)
	}
	p.Data = wire.AppendVersionNegotiation(nil, inv.DstID, inv.SrcID, 0, []wire.Version{0x1a1a1a1a, wire.Version1})
	return p
}

// forgeCoalesced puts more behind a genuine packet.
func forgeCoalesced(a *attacker, p Packet) Packet {
	other := forgeReplay(a, p)
	p.Data = append(bytes.Clone(p.Data), other.Data...)
	return p
}

func forgeEmpty(_ *attacker, p Packet) Packet {
	p.Data = nil
	return p
}

var forgeries = []forgery{
	forgeNoise, forgeTruncated, forgeFlipped, forgeReplay, forgeSpoofed, forgeReset, forgeVersions, forgeCoalesced, forgeEmpty,
}

// TestAttackers runs conversations past an attacker on the path, who cannot
// hinder them: everything that must hold on every run holds on these.
func TestAttackers(t *testing.T) {
	attacks := []scenario{
		{"forges", 40, func() Run { return network(20*time.Millisecond, work, &attacker{rate: 0.3, forge: forgeries})() }},
		{"floods", 20, func() Run { return network(20*time.Millisecond, work, &attacker{rate: 1, forge: forgeries})() }},
		{"forgesAmongLosses", 30, func() Run {
			return network(40*time.Millisecond, work, &attacker{rate: 0.3, forge: forgeries}, &Drop{Rate: 0.03},
				&Reorder{Rate: 0.1, Hold: 20 * time.Millisecond}, &Rebind{Every: 100})()
		}},
		// An attacker that is faster makes the peer seem to move: each time its
		// address is not confirmed, and the path goes back.
		{"movesThePeer", 40, func() Run {
			return awake(network(20*time.Millisecond, work, &attacker{rate: 0.05, forge: []forgery{forgeMoved}, race: true}))
		}},
		{"retry", 20, func() Run {
			r := network(20*time.Millisecond, work, &attacker{rate: 0.5, forge: forgeries})()
			r.RequireRetry = true
			return r
		}},
	}
	for _, s := range attacks {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			seeds := s.seeds
			if *seedsFlag > 0 {
				seeds = *seedsFlag
			}
			for i := range seeds {
				seed := *seedFlag + uint64(i)
				if err := runSeed(s, seed); err != nil {
					t.Errorf("seed %d: %v\nreplay: go test ./internal/test/sim -run 'TestAttackers/^%s$' -sim.seed=%d -sim.seeds=1", seed, err, s.name, seed)
				}
			}
		})
	}
}

// forgeMoved is the very packet from another address.
func forgeMoved(a *attacker, p Packet) Packet {
	if p.From == clientAddr {
		p.From = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, byte(a.rand.Uint32()), 1}), 4000)
	}
	return p
}

// TestStrangers sends a server noise from many addresses while it serves
// nobody, and looks whether it kept anything.
func TestStrangers(t *testing.T) {
	r := Run{Seed: 5}
	if *traceFlag {
		r.Trace = os.Stderr
	}
	r.setUp()
	a := &attacker{forge: forgeries}
	a.Seed(r.server.app.rand)
	r.client.dial()
	tr, ok := r.client.conn.PollTransmit(r.now, r.client.buf, 1)
	if !ok {
		t.Fatal("the client does not begin")
	}
	hello := Packet{Data: bytes.Clone(tr.Data), From: clientAddr, To: serverAddr}
	a.kept = []Packet{hello}
	for i := range 3000 {
		p := a.forge[i%len(a.forge)](a, hello)
		if bytes.HasPrefix(p.Data, hello.Data) {
			continue // the genuine packet, which is accepted
		}
		p.From = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), 4000)
		r.server.receive(r.now, p)
	}
	s := r.server.endpoint.Stats()
	if r.server.endpoint.Conns() != 0 || s.Accepted != 0 {
		t.Fatalf("%d connections were accepted, %d are kept", s.Accepted, r.server.endpoint.Conns())
	}
	if err := r.server.endpoint.CheckEmpty(); err != nil {
		t.Fatal(err)
	}
	if s.Malformed == 0 || s.UnknownID == 0 || s.NotAuthentic == 0 {
		t.Fatalf("not all kinds of noise were counted: %+v", s)
	}
}
