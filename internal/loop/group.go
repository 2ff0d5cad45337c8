package loop

import (
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Group is loops whose sockets share one address. Each connection lives on one
// of them, which its IDs name (connid.ShardOf). The kernel's filter gives each
// loop its datagrams; where there is none, as it cannot read the IDs, a loop that gets
// another's hands them over.
type Group struct {
	Loops []*Loop

	resets resetTokens
}

// StartGroup is Start for several sockets that share an address. make returns
// the configuration of loop i, to which the shard is added.
func StartGroup(socks []Socket, make func(i int) Config) *Group {
	g := &Group{}
	for i, sock := range socks {
		cfg := make(i)
		cfg.Endpoint.Shard, cfg.Endpoint.Shards = i, len(socks)
		if len(socks) > 1 {
			cfg.Endpoint.WatchReset = func(t wire.ResetToken, watched bool) { g.resets.watch(g.Loops[i], t, watched) }
		}
		g.Loops = append(g.Loops, newLoop(sock, cfg))
	}
	for i, l := range g.Loops {
		l.guests = g.Loops[0].guests
		if len(g.Loops) > 1 {
			l.group, l.index = g, i
		}
		go l.run()
	}
	return g
}

// Index returns the loop's place in its group, 0 for one that has none.
func (l *Loop) Index() int { return l.index }

// maxHandedOver bounds the datagrams that one loop's mailbox holds for want of
// a filter: what a socket's buffer would hold. More are lost, as they would be
// there.
const maxHandedOver = 4096

// handOver gives a datagram to the loop it is for. It returns false if that is
// this one, or none.
func (l *Loop) handOver(d *engine.Datagram) bool {
	if l.endpoint.Knows(d.Data) {
		return false // without asking whose it is, which may take a decryption
	}
	to := l.group.resets.of(d.Data)
	if to == nil {
		shard, ok := connid.ShardOf(l.config.Endpoint.ConnectionIDs, d.Data, len(l.group.Loops))
		if !ok {
			return false
		}
		to = l.group.Loops[shard]
	}
	if to == l {
		return false
	}
	if to.handed.Load() >= maxHandedOver {
		return true
	}
	copied := *d
	copied.Data = append([]byte(nil), d.Data...)
	to.hand(copied, to.take)
	return true
}

// hand has the loop take a datagram, unless too many wait for that. Any goroutine may call
// it; the bytes are the loop's from then on.
func (l *Loop) hand(d engine.Datagram, take func(*engine.Datagram)) {
	if l.handed.Add(1) > maxHandedOver || !l.Do(func() {
		l.handed.Add(-1)
		take(&d)
		l.tellDatagrams()
	}) {
		l.handed.Add(-1)
	}
}

// sharing is a loop's place in a group.
type sharing struct {
	guests *guests // of the group, or of the loop on its own
	group  *Group  // nil for a loop on its own
	index  int
	handed atomic.Int64 // datagrams of the mailbox
}
