// Package admission counts the clients of a server, in all and by where they come
// from, and says which further ones get a connection.
package admission

import (
	"net/netip"
	"sync"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Limits are how many clients there may be; math.MaxInt is no limit.
type Limits struct {
	// RetryAbove is the number of handshakes under way from which on a client must
	// prove its address before it counts. So many can be had with made-up addresses.
	RetryAbove int
	// Handshakes is how many handshakes may be under way of clients that proved
	// their address, in all and for one source.
	Handshakes, HandshakesPerSource int
	// Conns is how many connections there may be, in all and for one source.
	Conns, ConnsPerSource int
}

// Stats are a Gate's counters at one moment.
type Stats struct {
	Handshakes int // under way
	Conns      int // accepted and not forgotten

	// Clients turned away, by the limit that they met.
	AskedForProof                         uint64 // RetryAbove
	HandshakesIgnored, HandshakesOfSource uint64
	ConnsRefused, ConnsOfSource           uint64
}

// Gate is an engine.Gate for endpoints on any number of goroutines.
type Gate struct {
	mu      sync.Mutex
	limits  Limits
	bySrc   map[Source]int // places in sources
	sources []counts
	free    []int // places in sources that nobody has
	proved  int   // handshakes of clients that proved their address
	others  int   // other handshakes
	stats   Stats
}

// Source is where clients come from: an IPv4 address, or a /64 prefix of IPv6, which
// is the least that a site gets (RFC 6177).
type Source [8]byte

// counts is what a source has.
type counts struct {
	source                Source
	conns, proved, others int32
}

// New returns a Gate.
func New(limits Limits) *Gate {
	return &Gate{limits: limits, bySrc: make(map[Source]int)}
}

// Stats returns the counters.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Handshakes = g.proved + g.others
	return s
}

// SourceOf returns where a client is counted.
func SourceOf(a netip.Addr) Source {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return Source{0: 0xff, 4: b[0], 5: b[1], 6: b[2], 7: b[3]} // ff00::/8 is multicast: no client is there
	}
	b := a.As16()
	return Source(b[:8])
}

// Admit implements engine.Gate. Who proved an address has places of its own: a flood
// from made-up addresses takes none of them.
func (g *Gate) Admit(from netip.Addr, proved bool) (engine.Place, engine.Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	src := SourceOf(from)
	var s counts
	at, known := g.bySrc[src]
	if known {
		s = g.sources[at]
	}
	l := &g.limits
	switch {
	case g.stats.Conns >= l.Conns:
		g.stats.ConnsRefused++
		return 0, engine.Refuse
	case int(s.conns) >= l.ConnsPerSource:
		g.stats.ConnsOfSource++
		return 0, engine.Refuse
	case !proved && (g.proved+g.others >= l.RetryAbove || int(s.others) >= l.HandshakesPerSource):
		g.stats.AskedForProof++
		return 0, engine.AskForProof
	case proved && g.proved >= l.Handshakes:
		g.stats.HandshakesIgnored++
		return 0, engine.Ignore
	case proved && int(s.proved) >= l.HandshakesPerSource:
		g.stats.HandshakesOfSource++
		return 0, engine.Ignore
	}
	if !known {
		at = g.newSource(src)
	}
	g.stats.Conns++
	g.sources[at].conns++
	p := place(at, proved)
	g.count(p, 1)
	return p, engine.Accept
}

// newSource makes an entry for a source; the lock is held.
func (g *Gate) newSource(src Source) int {
	at := len(g.sources)
	if n := len(g.free) - 1; n >= 0 {
		at = g.free[n]
		g.free = g.free[:n]
	} else {
		g.sources = append(g.sources, counts{})
	}
	g.sources[at] = counts{source: src}
	g.bySrc[src] = at
	return at
}

// place is where a client counts, and whether it proved its address.
func place(at int, proved bool) engine.Place {
	p := engine.Place(at) << 1
	if proved {
		p |= 1
	}
	return p
}

// count counts a handshake more, or one less; the lock is held.
func (g *Gate) count(p engine.Place, n int) {
	s := &g.sources[p>>1]
	if p&1 != 0 {
		g.proved += n
		s.proved += int32(n)
	} else {
		g.others += n
		s.others += int32(n)
	}
}

// HandshakeOver implements engine.Gate.
func (g *Gate) HandshakeOver(p engine.Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count(p, -1)
}

// Released implements engine.Gate.
func (g *Gate) Released(p engine.Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Conns--
	at := int(p >> 1)
	s := &g.sources[at]
	if s.conns--; s.conns == 0 {
		delete(g.bySrc, s.source)
		g.free = append(g.free, at)
	}
}
