package path

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Path MTU discovery (RFC 8899, RFC 9000, Section 14.3): a few larger sizes are tried
// with packets of PING and PADDING, whose loss means nothing for congestion. That begins
// when a larger size would be of use: many connections never fill a datagram, and for
// them a probe would be their largest packet.

// BaseSize is the size of datagrams in bytes that every path carries (RFC 9000,
// Section 14).
const BaseSize = 1200

const (
	maxMTUProbes = 3 // losses of one size before it is given up (RFC 8899, Section 5.1.2)

	// mtuStep is the gain in bytes below which the search is not worth a packet.
	mtuStep = 20

	// ethernetSize is tried next when the largest size does not pass: Ethernet's 1500
	// less IPv6 and UDP headers is what most paths carry.
	ethernetSize = 1452

	// mtuRaiseTime is after which a larger size is tried again that did not pass
	// (PMTU_RAISE_TIMER, RFC 8899, Section 5.1.1).
	mtuRaiseTime = 600 * time.Second
)

// MTU is the size of datagrams now and the search for a larger one, in bytes.
type MTU struct {
	size    uint16
	target  uint16 // the size to try next, 0 when the search is over
	limit   uint16 // the largest size that may pass, as far as this search knows
	ceiling uint16 // the largest size that we and the peer want
	lost    uint8  // probes of target lost
	flying  bool
	wanted  bool // a larger size would be of use
	// raiseAt is when a search may begin again. It is no deadline: without need for a
	// larger size nothing happens then.
	raiseAt monotime.Time
}

// Init starts with the base size; the largest one wanted is ceiling.
func (m *MTU) Init(ceiling int) {
	*m = MTU{size: BaseSize, limit: uint16(ceiling), ceiling: uint16(ceiling)}
}

// Start prepares the search once the peer's limit is known.
func (m *MTU) Start(peerMax int) {
	m.ceiling = max(BaseSize, min(m.ceiling, uint16(peerMax)))
	m.limit = m.ceiling
	if m.limit > m.size {
		m.target = m.limit
	}
}

// Size returns the size of a full datagram in bytes.
func (m *MTU) Size() int { return int(m.size) }

// Want notes that a larger size would be of use.
func (m *MTU) Want() { m.wanted = true }

// Due returns the size of a probe that should be sent, 0 for none.
func (m *MTU) Due(now monotime.Time) int {
	if !m.wanted || m.flying {
		return 0
	}
	if m.target == 0 && !m.raiseAt.IsZero() && !m.raiseAt.After(now) {
		m.limit, m.target, m.raiseAt = m.ceiling, m.ceiling, 0
	}
	return int(m.target)
}

// Sent notes that a probe leaves.
func (m *MTU) Sent() { m.flying = true }

// Acked takes the news that a probe of size bytes arrived.
func (m *MTU) Acked(now monotime.Time, size int) {
	if size != int(m.target) {
		return
	}
	m.flying, m.lost = false, 0
	m.size = m.target
	m.next(now)
}

// ProbeLost takes the news that a probe of size bytes did not.
func (m *MTU) ProbeLost(now monotime.Time, size int) {
	if size != int(m.target) {
		return
	}
	m.flying = false
	if m.lost++; m.lost == maxMTUProbes {
		m.lost = 0
		m.limit = m.target - 1
		m.next(now)
	}
}

// next chooses the size to try next.
func (m *MTU) next(now monotime.Time) {
	switch {
	case m.limit-m.size <= mtuStep:
		m.target = 0
		if m.ceiling-m.size > mtuStep {
			m.raiseAt = now.Add(mtuRaiseTime)
		}
	case m.size < ethernetSize && m.limit > ethernetSize:
		m.target = ethernetSize
	default:
		m.target = m.size + (m.limit-m.size)/2
	}
}

// BlackHole falls back to the base size, when packets of the present one seem to vanish
// (RFC 8899, Section 4.3), and reports whether that is a change.
func (m *MTU) BlackHole(now monotime.Time) bool {
	if m.size == BaseSize {
		return false
	}
	m.size, m.target, m.flying, m.lost = BaseSize, 0, false, 0
	m.raiseAt = now.Add(mtuRaiseTime)
	return true
}
