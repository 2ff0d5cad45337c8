package congestion

import (
	"math/rand/v2"
	"time"
)

// Controller is the congestion controller of one path.
//
// Pointers and slices that it is given are valid during the call only.
type Controller interface {
	// OnSent tells of a packet that is being sent.
	OnSent(s *Sent)

	// OnFeedback tells what an ACK frame, or a time that has passed, made known of
	// packets.
	OnFeedback(f *Feedback)

	// SetMaxDatagramSize tells how long datagrams on the path may be from now on, in
	// bytes; of at least 1200.
	SetMaxDatagramSize(bytes int)

	// Window returns how many bytes may be in flight. Whatever this is, a connection
	// sends up to two datagrams, and no more than Config.MaxWindow. Acknowledgments,
	// probes after a timeout and the handshake do not wait for room in it.
	Window() int

	// PacingRate returns the rate in bytes per second at which to send, or 0 for no
	// pacing.
	PacingRate() uint64

	// SendQuantum returns how many bytes are worth waiting for where the pacing rate
	// makes packets wait: they leave together. 0 leaves it to the connection, which
	// then waits for a few packets.
	SendQuantum() int

	// Metrics returns figures for logs.
	Metrics() Metrics
}

// Metrics are figures of a controller for logs, such as qlog's.
type Metrics struct {
	// State is the name of the state that the controller is in. Those of NewReno and
	// CUBIC are the ones of draft-ietf-quic-qlog-quic-events: slow_start,
	// conservative_slow_start, congestion_avoidance and recovery. Those of BBR are
	// startup, drain, probe_bw_down, probe_bw_cruise, probe_bw_refill, probe_bw_up and
	// probe_rtt.
	State string
	// Threshold is the slow start threshold in bytes, 0 for none.
	Threshold int
}

// Config is what a controller is made of.
type Config struct {
	// MaxDatagramSize is how long datagrams on the path may be, in bytes.
	MaxDatagramSize int
	// InitialWindow is the window of a new path in packets, each counted as at most
	// 1472 bytes (RFC 9002, Section 7.2). Default DefaultInitialWindow.
	InitialWindow int
	// MaxWindow is what the window grows to at most, in bytes: at least twice
	// MaxDatagramSize, and not more than the constant MaxWindow. Default DefaultMaxWindow.
	MaxWindow int
	// Now is the moment at which the controller is made.
	Now time.Duration
	// Rand (math/rand/v2) is what to draw from. Others use it too: it is there for the controller
	// while one of its methods, or the function that makes it, is being called. It is
	// not nil in a connection; NewReno and CUBIC do without, and BBR uses one that is
	// always the same if there is none.
	Rand *rand.Rand
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
