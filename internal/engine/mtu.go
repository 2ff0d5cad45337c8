package engine

import "github.com/godwit-quic/godwit/internal/wire"

// Path MTU discovery (RFC 8899, RFC 9000, Section 14.3): a few larger sizes are
// tried with packets of PING and PADDING, whose loss means nothing for
// congestion. That begins when a larger size would be of use: many connections
// never fill a datagram, and for them a probe would be their largest packet.
const (
	maxMTUProbes = 3 // losses of one size before it is given up
	// blackHoleAfter is the number of probe timeouts in a row, with full-sized
	// packets in flight, after which the path is taken to have shrunk.
	blackHoleAfter = 3
)

// mtuState is the size of datagrams now and the search for a larger one, in bytes.
type mtuState struct {
	current int32
	target  int32 // the size to try next, 0 when the search is over
	limit   int32 // the largest size that we or the peer want
	lost    uint8 // probes of target lost
	flying  bool
	wanted  bool // a larger size would be of use
}

func (m *mtuState) init(limit int32) { m.current, m.limit = minDatagramSize, limit }

// start prepares the search once the peer's limit is known.
func (m *mtuState) start(peerMax uint16) {
	m.limit = min(m.limit, int32(peerMax))
	if m.limit > m.current {
		m.target = m.limit
	}
}

// datagramSize returns the size of a full datagram in bytes.
func (c *Conn) datagramSize() int { return int(c.mtu.current) }

// due reports whether a probe should be sent.
func (m *mtuState) due() bool { return m.wanted && m.target > m.current && !m.flying }

// settle takes the fate of a probe of size bytes.
func (m *mtuState) settle(size int32, f fate) {
	if size != m.target {
		return
	}
	m.flying = false
	if f == acked {
		m.current = max(m.current, size)
		m.lost = 0
		m.target = 0
		if mid := (size + m.limit) / 2; m.limit-size > mtuStep {
			m.target = mid
		}
		return
	}
	if m.lost++; m.lost < maxMTUProbes {
		return
	}
	m.lost = 0
	m.limit = size - 1
	m.target = 0
	if m.limit-m.current > mtuStep {
		m.target = (m.current + m.limit) / 2
	}
}

// mtuStep is the gain in bytes below which the search is not worth a packet.
const mtuStep = 20

// blackHole falls back to the smallest size, when packets of the present one
// seem to vanish.
func (m *mtuState) blackHole() {
	m.limit = minDatagramSize
	m.current, m.target, m.flying = minDatagramSize, 0, false
}

// sizeChanged tells everybody who reckons with the size of datagrams.
func (c *Conn) sizeChanged() {
	c.cc.SetMaxDatagramSize(c.datagramSize())
	c.updateDatagramLimit()
}

// appendMTUProbe fills w to the size being tried.
func (c *Conn) appendMTUProbe(w *frameWriter) {
	w.b = wire.AppendPing(w.b)
	w.record(recMTUProbe, uint64(c.mtu.target))
	w.sent.MTUProbe = true
	c.mtu.flying = true
	w.pad(w.room())
}
