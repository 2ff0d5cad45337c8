package quic

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/congestion"
	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Congestion is a congestion control algorithm.
type Congestion uint8

// The congestion control algorithms.
const (
	CUBIC   Congestion = iota // RFC 9438 with HyStart++ (RFC 9406), the default
	NewReno                   // RFC 9002, Section 7
)

// Config says how connections behave. A nil *Config and fields that are zero
// mean the defaults. It may be shared and must not be changed once in use.
type Config struct {
	// Versions are the versions of QUIC that a server accepts and a client may end up
	// with, the preferred ones first; a server uses the one that the client prefers of
	// those that both have (RFC 9368). Default: Version1, Version2, so that no client is
	// turned away, and none leaves without being asked what every server has.
	Versions []Version
	// OriginalVersion is the version of a client's first packets, one of Versions.
	// Default is Version1 if that is among them, and the first if not: a server that
	// does not know it costs a round trip, and every server is expected to know
	// version 1, from which the connection goes on with another without one.
	OriginalVersion Version

	// HandshakeTimeout is how long a handshake may take. Default 10 s.
	HandshakeTimeout time.Duration
	// MaxIdleTimeout is how long nothing may arrive before the connection
	// counts as dead. The lower of both sides' values is used (RFC 9000,
	// Section 10.1). Default 30 s.
	MaxIdleTimeout time.Duration
	// KeepAlivePeriod is how long a connection may be idle before a PING
	// keeps it alive; half of the idle timeout if that is shorter. Default 0:
	// 15 seconds, and only while work is outstanding, which Conn.Hold tells.
	KeepAlivePeriod time.Duration

	// MaxIncomingStreams and MaxIncomingUniStreams are how many streams of a
	// kind the peer may have open at once. Default 100 each, negative for none;
	// beyond 1<<60 counts as that (RFC 9000, Section 4.6).
	MaxIncomingStreams, MaxIncomingUniStreams int64

	// The flow control windows are how many bytes the peer may send beyond
	// what was read, on a stream and on the connection. They start at the
	// initial size and grow to the largest while the reader keeps up. Defaults
	// 512 KiB to 6 MiB, and 768 KiB to 15 MiB; the least is 1200 bytes, the most
	// 1<<62-1.
	InitialStreamWindow, MaxStreamWindow uint64
	InitialConnWindow, MaxConnWindow     uint64

	// MaxUDPPayload is the largest UDP payload in bytes that path MTU discovery tries
	// (RFC 9000, Section 14.3), from 1200, the least that QUIC works with, to 65507, the
	// most that IPv4 carries. Default 1452: Ethernet's 1500 less IPv6 and UDP headers.
	// Where all of the way has jumbo frames, 8952 fits into those of 9000 bytes; the
	// loopback interface of Linux takes 65507. More than the way carries costs a few
	// lost probes, again every ten minutes; the peer may want less, and what it takes
	// counts. Every path begins with 1200, and a larger size is looked for when there is
	// data to fill it.
	MaxUDPPayload int

	// EnableDatagrams lets the peer send datagrams, and us if it takes them
	// too (RFC 9221).
	EnableDatagrams bool

	// DatagramBurst is how many DATAGRAM frames leave at once, in one packet or
	// several; others that wait follow 200 microseconds later. Receivers keep few of
	// what they read at a time: Firefox the last ten. It does not count for a
	// connection in bulk, on which more than 64 datagrams wait, or some have
	// waited at any time for 50 ms. Default 8; less than 0 for no limit.
	DatagramBurst int

	// Congestion is the congestion control algorithm.
	Congestion Congestion
	// InitialCongestionWindow is how many packets may be sent on a new path before
	// the first acknowledgment, from 2 to 1000, each counted as at most 1472 bytes.
	// Default 10, which is what RFC 9002, Section 7.2, recommends: it is known not to
	// hurt slow links and small queues, whose owners have no say in it. Some servers
	// begin with 32, which saves one or two round trips of a transfer of some hundred
	// kilobytes where the path can take it.
	InitialCongestionWindow int
	// MaxCongestionWindow bounds, in bytes, what is sent and not yet acknowledged,
	// from 32 KiB to 1 GiB. It is what a peer that acknowledges nothing can make a
	// connection hold, and about twice that in small packets; the rate of a
	// connection is at most this much for each round trip. Default 16 MiB: 1.3 Gbit/s
	// over 100 ms.
	MaxCongestionWindow int

	// DisableGSO and DisableGRO forgo Linux's segmentation offloads. They and
	// SocketBuffer count where a socket is made: Listen, Dial, NewTransport.
	DisableGSO, DisableGRO bool
	// SocketBuffer is the size in bytes to ask of the kernel for the socket's
	// buffers, each of the two. Default 7 MiB.
	SocketBuffer int

	// SendBatch is how many datagrams of one connection are given to the kernel in
	// one call at most, and ReceiveBatch how many messages one call reads, each a
	// datagram or, with GRO, a train of up to 64 KiB for which there is memory. Less
	// of either makes a loop turn to other connections sooner, and costs calls.
	// Defaults are 64, which is the most, and 8, or 32 without GRO; ReceiveBatch may
	// be up to 1024. They count where a socket is made, and on Linux.
	SendBatch, ReceiveBatch int

	// Loops is how many event loops serve the address, each with a socket and a
	// share of the connections. More than one are a matter of Linux. Default is
	// one for each processor that Go may use (GOMAXPROCS), up to 16, for Listen,
	// and 1 for NewTransport and Dial. It counts where a socket is made.
	Loops int

	// ConnectionIDs makes the connection IDs that this side gives out. Default is
	// RandomConnectionIDs(8, 0). It counts where a socket is made.
	ConnectionIDs ConnectionIDGenerator

	// StatelessResetKey lets a server that was restarted end the connections
	// it knew before, if it has the same key again (RFC 9000, Section 10.3).
	// Default is a random one. It counts where a socket is made.
	StatelessResetKey *[32]byte
	// RequireAddressValidation makes a server ask every client to prove its
	// address with a Retry packet, which costs a round trip (RFC 9000,
	// Section 8.1.2). Without it, that happens only from RetryThreshold on.
	RequireAddressValidation bool

	// The limits that follow are those of a whole transport, over all its loops and
	// connections. They count where it is made: Listen, Dial, NewTransport; and all but
	// the first where it begins to listen. Zero means the default, which suits a
	// machine with 1 GiB of memory, negative no limit. docs/operating.md adds up what
	// strangers can make a server hold.

	// MaxBufferedBytes is how many bytes buffers may hold: what streams were written
	// and the peers have not acknowledged, and what was received and not read. From
	// half of it on, connections that hold much get less: writers wait, and flow
	// control windows no longer grow. When it is used up all the same, connections
	// that hold the most and make no progress are closed, with INTERNAL_ERROR.
	// Default 128 MiB.
	MaxBufferedBytes int64
	// MaxConnections is how many connections clients may have, and
	// MaxConnectionsPerSource how many those of one IPv4 address or one IPv6 /64 may.
	// Further ones are told CONNECTION_REFUSED. Defaults 16384, and three quarters of
	// MaxConnections.
	MaxConnections, MaxConnectionsPerSource int
	// MaxHandshakes is how many handshakes may be under way with clients that have
	// proved their address, and MaxHandshakesPerSource how many of one IPv4 address
	// or IPv6 /64. Further ones get no answer, and try again. Defaults 4096, and three
	// quarters of MaxHandshakes.
	MaxHandshakes, MaxHandshakesPerSource int
	// RetryThreshold is how many handshakes are under way when further clients are
	// asked to prove their address with a Retry packet (RFC 9000, Section 8.1.2).
	// Default 256.
	RetryThreshold int

	// QlogDir is the directory to write one qlog file for each connection to; it is
	// made if it is not there. At most 512 connections are logged at a time, and
	// about 1 GiB of each. Logger is told when a file cannot be written.
	QlogDir string
	// Logger is told what an operator should know. Default is nobody. It is called in
	// a goroutine of its own, so that it may take long, and up to 100 times a second;
	// one line then says how many records were left out. Transport.Close waits for it,
	// a second at most.
	Logger *slog.Logger
}

// maxDefaultLoops is how many loops Listen makes by itself: as many as fill
// networks of today, each costs about a megabyte.
const maxDefaultLoops = 16

func defaultLoops() int {
	if runtime.GOOS != "linux" {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), maxDefaultLoops)
}

const (
	defaultMaxStreams = 100
	// maxSendBatch is the kernel's limit for segments of a send (UDP_MAX_SEGMENTS
	// of old), and maxReceiveBatch the one for messages of a call (UIO_MAXIOV).
	maxSendBatch, maxReceiveBatch = 64, 1024
	// minWindow is the smallest flow control window: a datagram's worth
	// (RFC 9000, Section 14), below which every packet would wait for credit.
	minWindow = 1200
	// minUDPPayload is what every path carries (RFC 9000, Section 14), and maxUDPPayload
	// what an IPv4 packet of 65535 bytes has room for.
	minUDPPayload, maxUDPPayload = 1200, 65535 - 20 - 8
	// minInitialCwnd is the least congestion window (RFC 9002, Section 7.2), in
	// packets; maxInitialCwnd is above what any path takes at once.
	minInitialCwnd, maxInitialCwnd = 2, 1000
	// minMaxCwnd lets a window grow beyond its beginning, in bytes.
	minMaxCwnd = 32 << 10
)

// orDefault returns conf, or an empty one for nil.
func (conf *Config) orDefault() *Config {
	if conf == nil {
		return &Config{}
	}
	return conf
}

// validate refuses what cannot work.
func (conf *Config) validate() error {
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"HandshakeTimeout", conf.HandshakeTimeout},
		{"MaxIdleTimeout", conf.MaxIdleTimeout},
		{"KeepAlivePeriod", conf.KeepAlivePeriod},
	} {
		if f.value < 0 {
			return fmt.Errorf("quic: Config.%s is negative: %v", f.name, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value uint64
	}{
		{"InitialStreamWindow", conf.InitialStreamWindow}, {"MaxStreamWindow", conf.MaxStreamWindow},
		{"InitialConnWindow", conf.InitialConnWindow}, {"MaxConnWindow", conf.MaxConnWindow},
	} {
		if f.value != 0 && f.value < minWindow || f.value > wire.MaxVarint {
			return fmt.Errorf("quic: Config.%s is not between %d and %d: %d", f.name, minWindow, uint64(wire.MaxVarint), f.value)
		}
	}
	if err := connid.Check(conf.connectionIDs(), max(conf.Loops, 1)); err != nil {
		return fmt.Errorf("quic: Config.ConnectionIDs: %w", err)
	}
	if conf.Loops < 0 || conf.Loops > connid.MaxShards {
		return fmt.Errorf("quic: Config.Loops is not between 0 and %d: %d", connid.MaxShards, conf.Loops)
	}
	for _, f := range []struct {
		name       string
		value, max int
	}{
		{"SendBatch", conf.SendBatch, maxSendBatch}, {"ReceiveBatch", conf.ReceiveBatch, maxReceiveBatch},
	} {
		if f.value < 0 || f.value > f.max {
			return fmt.Errorf("quic: Config.%s is not between 0 and %d: %d", f.name, f.max, f.value)
		}
	}
	if n := conf.InitialCongestionWindow; n != 0 && (n < minInitialCwnd || n > maxInitialCwnd) {
		return fmt.Errorf("quic: Config.InitialCongestionWindow is not between %d and %d: %d", minInitialCwnd, maxInitialCwnd, n)
	}
	if n := conf.MaxCongestionWindow; n != 0 && (n < minMaxCwnd || n > congestion.MaxWindow) {
		return fmt.Errorf("quic: Config.MaxCongestionWindow is not between %d and %d: %d", minMaxCwnd, congestion.MaxWindow, n)
	}
	if n := conf.MaxUDPPayload; n != 0 && (n < minUDPPayload || n > maxUDPPayload) {
		return fmt.Errorf("quic: Config.MaxUDPPayload is not between %d and %d: %d", minUDPPayload, maxUDPPayload, n)
	}
	if err := conf.checkVersions(); err != nil {
		return err
	}
	if conf.SocketBuffer < 0 {
		return errors.New("quic: Config.SocketBuffer is negative")
	}
	if conf.Congestion > NewReno {
		return fmt.Errorf("quic: Config.Congestion is unknown: %d", conf.Congestion)
	}
	return nil
}

// engineConfig returns conf in the engine's terms.
func (conf *Config) engineConfig() *engine.Config {
	e := engine.Config{
		Versions:            convertVersions[wire.Version](conf.Versions),
		OriginalVersion:     wire.Version(conf.OriginalVersion),
		HandshakeTimeout:    conf.HandshakeTimeout,
		MaxIdleTimeout:      conf.MaxIdleTimeout,
		KeepAlive:           conf.KeepAlivePeriod,
		Datagrams:           conf.EnableDatagrams,
		DatagramBurst:       conf.DatagramBurst,
		InitialStreamWindow: conf.InitialStreamWindow,
		MaxStreamWindow:     conf.MaxStreamWindow,
		InitialConnWindow:   conf.InitialConnWindow,
		MaxConnWindow:       conf.MaxConnWindow,
		MaxBidiStreams:      streamLimit(conf.MaxIncomingStreams),
		MaxUniStreams:       streamLimit(conf.MaxIncomingUniStreams),

		MaxDatagramSize:         conf.MaxUDPPayload,
		InitialCongestionWindow: conf.InitialCongestionWindow,
		MaxCongestionWindow:     conf.MaxCongestionWindow,
	}
	if conf.Congestion == NewReno {
		e.NewCongestion = congestion.NewReno
	}
	return e.WithDefaults()
}

func streamLimit(n int64) uint64 {
	switch {
	case n == 0:
		return defaultMaxStreams
	case n < 0:
		return 0
	}
	return uint64(n)
}

// logHandler returns what tells Logger, or nobody if there is none, and does not wait
// for it: for event loops, and for what peers cause.
func (conf *Config) logHandler() *asynclog.Handler {
	if conf.Logger == nil {
		return asynclog.New(slog.DiscardHandler)
	}
	return asynclog.New(conf.Logger.Handler())
}
