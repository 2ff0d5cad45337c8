package engine

import (
	"net/netip"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Config is how connections behave. It is shared by many of them and must not
// be changed once in use. Call WithDefaults on one that has unset fields.
type Config struct {
	// App is the owner's own value; the engine does not touch it.
	App any

	// HandshakeTimeout is how long a handshake may take. Default 10 s.
	HandshakeTimeout time.Duration
	// MaxIdleTimeout is how long nothing may arrive; the lower of both
	// sides' values counts (RFC 9000, Section 10.1). Default 30 s.
	MaxIdleTimeout time.Duration
	// KeepAlive is how long nothing may be received or sent before a PING
	// keeps the connection alive. 0 means only while work is outstanding: see
	// Conn.SetHeld.
	KeepAlive time.Duration

	// MaxClosingPeriod bounds for how long a connection that has ended answers or
	// ignores late packets. A host that closes the socket then needs no more (RFC 9000,
	// Section 10.2). 0 means no bound but three probe timeouts.
	MaxClosingPeriod time.Duration

	// Flow control windows in bytes: what the peer may send beyond what the
	// application has read. They start at the initial value and grow to the
	// maximum while the application keeps up. That of a stream grows to two thirds of
	// MaxConnWindow at most, and the connection's is half as large again as each
	// stream's, unless they start otherwise; so are the defaults.
	InitialStreamWindow, MaxStreamWindow uint64
	InitialConnWindow, MaxConnWindow     uint64

	// MaxBidiStreams and MaxUniStreams are how many streams of a kind the
	// peer may have open at once.
	MaxBidiStreams, MaxUniStreams uint64

	// MaxDatagramSize is the largest UDP payload that path MTU discovery
	// tries, from 1200. Default 1452: Ethernet's 1500 less IPv6 and UDP headers.
	MaxDatagramSize int

	// Datagrams lets the peer send datagrams, and us too if it takes them
	// (RFC 9221).
	Datagrams bool
	// DatagramBurst is how many DATAGRAM frames leave at once, while there are not
	// so many that more have to: 0 means 8, and less than 0 any number.
	DatagramBurst int

	// Versions are the versions of QUIC that a server accepts and a client may end up
	// with, the preferred ones first. A server uses the one that the client prefers of
	// those that both have. Default: 1, then 2, which differ in nothing that a
	// connection can do (RFC 9369, Section 7), so that nobody is turned away, and
	// there is no reason to leave what every peer has.
	Versions []wire.Version
	// OriginalVersion is that of a client's first packets, one of Versions. Default is
	// version 1 if that is among them, or the first: a server that does not know the
	// version costs a round trip, and from version 1 it can change to any other here
	// without one (RFC 9368, Section 2.6).
	OriginalVersion wire.Version

	// EarlyData has a server keep 0-RTT packets that come before their keys. Whether it
	// accepts early data, and a client offers it, is its TLS's to say.
	EarlyData bool

	// KeepToken, when set, is told of each token that a client gets for its next connections
	// of a version (RFC 9000, Section 8.1.3): see Conn.SetToken. It is called inside the
	// engine, whose bytes they are: it must be quick, and must not call back.
	KeepToken func(v wire.Version, token []byte)

	// NoResetStreamAt keeps from the peer that RESET_STREAM_AT is understood,
	// so that it behaves as with an endpoint that does not, like browsers.
	NoResetStreamAt bool

	// DisableActiveMigration has a server ask its clients to stay at their addresses
	// (RFC 9000, Section 18.2). Those that move all the same are followed, as a NAT may
	// have moved them.
	DisableActiveMigration bool
	// PreferredIPv4 and PreferredIPv6 are where a server wants its clients to move after the
	// handshake (RFC 9000, Section 9.6): none if neither is valid.
	PreferredIPv4, PreferredIPv6 netip.AddrPort
	// IgnorePreferredAddress has a client stay where it has dialled.
	IgnorePreferredAddress bool

	// InitialCongestionWindow is how much may be sent on a new path before
	// anything is acknowledged, in packets. Default 10 (RFC 9002, Section 7.2).
	InitialCongestionWindow int
	// MaxCongestionWindow bounds what is in flight, in bytes, and with it the
	// packets that are remembered. Default 16 MiB, the most 1 GiB.
	MaxCongestionWindow int
	// NewCongestion makes the congestion controller of a path. Default CUBIC, which is
	// also taken when it returns nil.
	NewCongestion func(congestion.Config) congestion.Controller

	// NewTracer, when set, returns who is told what happens on a new connection, nil for
	// nobody. It is told inside the engine: it must be quick, and must not call back.
	NewTracer func(quictrace.Info) quictrace.Tracer
}

// Defaults and bounds of Config.
const (
	defaultHandshakeTimeout = 10 * time.Second
	defaultIdleTimeout      = 30 * time.Second
	defaultStreamWindow     = 512 << 10
	defaultMaxStreamWindow  = 6 << 20
	defaultConnWindow       = 768 << 10
	defaultMaxConnWindow    = 15 << 20
	defaultMaxStreams       = 100
	maxStreamsLimit         = 1 << 60 // RFC 9000, Section 4.6
	minDatagramSize         = path.BaseSize
	defaultMaxDatagramSize  = 1452
	maxUDPPayload           = 65527 // RFC 9000, Section 18.2
)

// WithDefaults returns a copy with every unset field filled in. MaxBidiStreams
// and MaxUniStreams stay as they are: 0 means none.
func (c Config) WithDefaults() *Config {
	setDefault(&c.HandshakeTimeout, defaultHandshakeTimeout)
	setDefault(&c.MaxIdleTimeout, defaultIdleTimeout)
	setDefault(&c.InitialStreamWindow, atMost(defaultStreamWindow, c.MaxStreamWindow))
	setDefault(&c.MaxStreamWindow, max(defaultMaxStreamWindow, c.InitialStreamWindow))
	setDefault(&c.InitialConnWindow, atMost(max(defaultConnWindow, wider(c.InitialStreamWindow)), c.MaxConnWindow))
	setDefault(&c.MaxConnWindow, max(defaultMaxConnWindow, c.InitialConnWindow, wider(c.MaxStreamWindow)))
	setDefault(&c.MaxDatagramSize, defaultMaxDatagramSize)
	c.MaxDatagramSize = min(max(c.MaxDatagramSize, minDatagramSize), maxUDPPayload)
	c.MaxBidiStreams = min(c.MaxBidiStreams, maxStreamsLimit)
	c.MaxUniStreams = min(c.MaxUniStreams, maxStreamsLimit)
	if len(c.Versions) == 0 {
		c.Versions = []wire.Version{wire.Version1, wire.Version2}
	}
	if !slices.Contains(c.Versions, c.OriginalVersion) {
		c.OriginalVersion = c.Versions[0]
		if slices.Contains(c.Versions, wire.Version1) {
			c.OriginalVersion = wire.Version1
		}
	}
	setDefault(&c.InitialCongestionWindow, congestion.DefaultInitialWindow)
	setDefault(&c.MaxCongestionWindow, congestion.DefaultMaxWindow)
	c.MaxCongestionWindow = min(c.MaxCongestionWindow, congestion.MaxWindow)
	if c.NewCongestion == nil {
		c.NewCongestion = congestion.NewCUBIC
	}
	return &c
}

// minUnacked is how many packets may wait for an acknowledgment however small the
// congestion window may grow: a full one of short packets.
const minUnacked = 4096

// maxUnacked bounds the packets that wait for an acknowledgment: a peer that
// acknowledges none makes the connection fall silent until it does. Half of what
// they may hold is enough for the largest congestion window.
func (c *Config) maxUnacked() int {
	return max(minUnacked, 2*c.MaxCongestionWindow/minDatagramSize)
}

// wider returns the least window of a connection whose streams have such a window.
func wider(stream uint64) uint64 { return min(stream/widerDen*widerNum, wire.MaxVarint) }

// atMost returns n, or the limit that is configured if that is less.
func atMost(n, limit uint64) uint64 {
	if limit != 0 {
		return min(n, limit)
	}
	return n
}

func setDefault[T ~int | ~int64 | ~uint64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
