package dialogue

import (
	"math/rand/v2"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// way is what a datagram passes next to the client: a NAT, and somebody who drops what
// the script says.
type way struct {
	talk   *talk
	client netip.AddrPort // as the server sees it, if not as it is
	inside netip.AddrPort
	lost   [2]int // datagrams yet to be dropped, by the side that sends them
}

// Seed implements sim.Node. There is no chance in it.
func (*way) Seed(*rand.Rand) {}

// Pass implements sim.Node.
func (w *way) Pass(now monotime.Time, dir sim.Direction, p sim.Packet, deliver func(monotime.Time, sim.Packet)) {
	from := wire.ClientSide
	if dir == sim.ToClient {
		from = wire.ServerSide
	}
	if h, ok := wire.ParseLongHeader(p.Data); ok && h.Type == wire.RetryPacket {
		w.talk.say(now, from, "sends Retry") // which no connection does
	}
	if w.lost[from] > 0 {
		w.lost[from]--
		w.talk.say(now, from, "…which is lost on the way: %d bytes", len(p.Data))
		return
	}
	if dir == sim.ToServer {
		if w.inside = p.From; w.client.IsValid() {
			p.From = w.client
		}
	} else if w.client.IsValid() {
		if p.To != w.client {
			return // to an address that is not the client's any more
		}
		p.To = w.inside
	}
	deliver(now, p)
}
