// Package congestion decides how much may be in flight and how fast it may
// leave: the congestion controllers NewReno (RFC 9002, Section 7) and CUBIC
// (RFC 9438) with HyStart++ (RFC 9406), and a Pacer.
//
// A connection has one controller and one pacer for each path, and tells them
// what happens to packets that count as in flight (RFC 9002, Section 2):
//
//	if inFlight+size <= cc.Window() && pacer.Budget(now) >= size {
//		send(packet)
//		cc.OnSent(now, size, inFlight)
//		pacer.OnSent(now, size)
//	}
//	…
//	cc.OnAcked(now, congestion.Acked{…})
//	pacer.Update(now, cc.PacingRate(srtt), mtu)
//
// Neither keeps a clock or a timer, and no method allocates. They are to be
// used by one goroutine at a time.
package congestion

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Controller is a congestion controller. Sizes are in bytes and include QUIC's
// headers and tags but not those of UDP and IP.
type Controller interface {
	// OnSent tells of a packet. inFlight is what was in flight before it.
	OnSent(now monotime.Time, bytes, inFlight int)

	// OnAcked tells of a packet that was acknowledged for the first time. For
	// the packets of one ACK frame it is called in ascending order, after
	// OnLost for those that the frame shows lost.
	OnAcked(now monotime.Time, a Acked)

	// OnLost tells of packets found lost together: their bytes, and when the
	// last of them was sent. The window is reduced once for all that was in
	// flight when the reduction happened (RFC 9002, Section 7.3.2).
	OnLost(now monotime.Time, lostBytes int, largestLostSentAt monotime.Time)

	// OnLate tells that a packet arrived that OnLost was told of: it was only
	// overtaken. When all of the packets that reduced the window did, the reduction
	// is undone (RFC 9438, Section 4.9).
	OnLate(now monotime.Time, bytes int, sentAt monotime.Time)

	// OnECN tells that the count of packets marked CE rose; sentAt is when the
	// largest newly acknowledged packet was sent (RFC 9002, Section 7.1).
	OnECN(now, sentAt monotime.Time)

	// OnPersistentCongestion tells that everything sent for a long time was
	// lost (RFC 9002, Section 7.6). It follows the OnLost for these packets.
	OnPersistentCongestion(now monotime.Time)

	// SetMaxDatagramSize tells how long datagrams on the path may be from now on.
	SetMaxDatagramSize(n int)

	// Window returns how many bytes may be in flight.
	Window() int

	// PacingRate returns the bytes per second at which to send, or 0 for no
	// pacing as long as srtt is not known.
	PacingRate(srtt time.Duration) uint64

	// SlowStart reports whether the window is below the slow start threshold.
	SlowStart() bool

	// Threshold returns the slow start threshold; MaxWindow until the first
	// reduction.
	Threshold() int

	// State returns a name for logs: slow_start, conservative_slow_start,
	// congestion_avoidance or recovery.
	State() string
}

// Acked describes an acknowledged packet and the path at that moment.
type Acked struct {
	Number wire.PacketNumber
	SentAt monotime.Time
	Bytes  int

	// InFlight is what was in flight before this acknowledgement.
	InFlight int

	// LatestRTT is the latest sample, MinRTT the least and SmoothedRTT the
	// average of RFC 9002, Section 5; 0 when there is none yet.
	LatestRTT, MinRTT, SmoothedRTT time.Duration

	// AppLimited says that less was sent than the window and the pacer would
	// have let through (RFC 9002, Section 7.8).
	AppLimited bool

	// NextNumber is the number of the next packet to be sent in the space: when
	// it is acknowledged a round trip has passed.
	NextNumber wire.PacketNumber
}

// Config is what a controller is made of.
type Config struct {
	// MaxDatagramSize is how long datagrams on the path may be, in bytes.
	MaxDatagramSize int
	// InitialWindow is the window of a new path in packets, of at most 1472
	// bytes each. Default DefaultInitialWindow.
	InitialWindow int
	// MaxWindow is beyond what the window does not grow, in bytes, at most
	// MaxWindow. Default DefaultMaxWindow.
	MaxWindow int
}

const (
	// MaxWindow bounds the congestion window whatever is configured, so that sums
	// and products of sizes cannot overflow: a round trip of 800 ms at 10 Gbit/s.
	MaxWindow = 1 << 30

	// DefaultMaxWindow is the bound unless another one is configured. What is in
	// flight is memory that a peer can make a sender hold, by acknowledging
	// nothing; this much keeps a path of 1 Gbit/s and 130 ms busy.
	DefaultMaxWindow = 16 << 20

	// DefaultInitialWindow is what RFC 9002, Section 7.2, recommends, in packets.
	DefaultInitialWindow = 10

	initialPacketBytes = 1472 // so that ten have the 14720 bytes of RFC 9002, Section 7.2
	minWindowPackets   = 2    // RFC 9002, Section 7.2
)

func (c Config) withDefaults() Config {
	if c.InitialWindow == 0 {
		c.InitialWindow = DefaultInitialWindow
	}
	if c.MaxWindow == 0 {
		c.MaxWindow = DefaultMaxWindow
	}
	c.MaxWindow = min(c.MaxWindow, MaxWindow)
	return c
}

// The names that State returns; those in draft-ietf-quic-qlog-quic-events are
// the same.
const (
	stateSlowStart             = "slow_start"
	stateConservativeSlowStart = "conservative_slow_start"
	stateCongestionAvoidance   = "congestion_avoidance"
	stateRecovery              = "recovery"
)

// initialWindow returns the window of a new path (RFC 9002, Section 7.2).
func (c *Config) initialWindow() int {
	size := min(c.InitialWindow*c.MaxDatagramSize, c.InitialWindow*initialPacketBytes)
	return min(max(size, minWindowPackets*c.MaxDatagramSize), c.MaxWindow)
}
