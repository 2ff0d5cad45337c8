package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
)

// Direction is which way a packet travels along the list of nodes.
type Direction uint8

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

// Packet is a datagram on its way.
type Packet struct {
	Data     []byte
	From, To netip.AddrPort
	ECN      path.ECN
}

// Node is something a packet passes: a cable, a lossy link, a NAT. Nodes are
// put in a list between the client and the server and treat both directions.
type Node interface {
	// Pass takes a packet and hands on what leaves the node, by calling
	// deliver at once or never, with the time at which it leaves.
	Pass(now monotime.Time, dir Direction, p Packet, deliver func(at monotime.Time, p Packet))
	// Seed gives the node its own source of chance.
	Seed(r *rand.Rand)
}

// chance is what nodes that throw dice embed.
type chance struct{ rand *rand.Rand }

func (c *chance) Seed(r *rand.Rand) { c.rand = r }

func (c *chance) hits(rate float64) bool { return c.rand.Float64() < rate }

// Delay holds every packet for half of RTT, give or take Jitter.
type Delay struct {
	chance
	RTT, Jitter time.Duration
}

// Pass implements Node.
func (n *Delay) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	d := n.RTT / 2
	if n.Jitter > 0 {
		d += time.Duration(n.rand.Int64N(int64(n.Jitter)))
	}
	deliver(now.Add(d), p)
}

// Drop loses packets at random.
type Drop struct {
	chance
	Rate float64
}

// Pass implements Node.
func (n *Drop) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if !n.hits(n.Rate) {
		deliver(now, p)
	}
}

// Duplicate delivers some packets twice.
type Duplicate struct {
	chance
	Rate float64
}

// Pass implements Node.
func (n *Duplicate) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	deliver(now, p)
	if n.hits(n.Rate) {
		again := p
		again.Data = append([]byte(nil), p.Data...)
		deliver(now.Add(time.Duration(n.rand.Int64N(int64(20*time.Millisecond)))), again)
	}
}

// Corrupt flips a bit in some packets.
type Corrupt struct {
	chance
	Rate float64
}

// Pass implements Node.
func (n *Corrupt) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if n.hits(n.Rate) {
		i := n.rand.IntN(len(p.Data))
		p.Data[i] ^= 1 << n.rand.IntN(8)
	}
	deliver(now, p)
}

// Reorder holds some packets back, so that others overtake them.
type Reorder struct {
	chance
	Rate float64
	Hold time.Duration
}

// Pass implements Node.
func (n *Reorder) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if n.hits(n.Rate) {
		now = now.Add(time.Duration(n.rand.Int64N(int64(n.Hold))) + 1)
	}
	deliver(now, p)
}

// Late holds some packets back by as much each.
type Late struct {
	chance
	Rate float64
	By   time.Duration
}

// Pass implements Node.
func (n *Late) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if n.hits(n.Rate) {
		now = now.Add(n.By)
	}
	deliver(now, p)
}

// Bottleneck sends at a rate in bits per second, with a queue of so many
// bytes in each direction; what does not fit is lost. With MarkAbove, packets
// that find more bytes queued are marked CE if they may be.
type Bottleneck struct {
	chance
	Rate      float64
	Queue     int
	MarkAbove int

	free [2]monotime.Time // when each direction has sent what it holds
}

// Pass implements Node.
func (n *Bottleneck) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	free := &n.free[dir]
	*free = max(*free, now)
	queued := int(free.Sub(now).Seconds() * n.Rate / 8)
	if queued+len(p.Data) > n.Queue {
		return
	}
	if n.MarkAbove > 0 && queued > n.MarkAbove && p.ECN == path.ECT0 {
		p.ECN = path.CE
	}
	*free = free.Add(time.Duration(float64(len(p.Data)) * 8 / n.Rate * float64(time.Second)))
	deliver(*free, p)
}

// MTU loses datagrams of more than Size bytes.
type MTU struct {
	chance
	Size int
}

// Pass implements Node.
func (n *MTU) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if len(p.Data) <= n.Size {
		deliver(now, p)
	}
}

// Blackhole loses everything from From to Until.
type Blackhole struct {
	chance
	From, Until time.Duration
}

// Pass implements Node.
func (n *Blackhole) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if t := now.Sub(start); t < n.From || t >= n.Until {
		deliver(now, p)
	}
}

// Bleach clears the ECN field, as some routers do.
type Bleach struct{ chance }

// Pass implements Node.
func (n *Bleach) Pass(now monotime.Time, _ Direction, p Packet, deliver func(monotime.Time, Packet)) {
	p.ECN = 0
	deliver(now, p)
}
