package quic

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Config says how one connection behaves; what concerns the socket, and all connections
// on it together, is in TransportConfig. A nil *Config and fields that are zero mean the
// defaults. Negative values are refused where a field does not say what they mean. Listen and
// Dial copy it, so that it may be shared, and changed later for the next connection; what
// cannot work is their error, which names the field.
type Config struct {
	// Versions are the versions of QUIC that a server accepts and a client may end up
	// with, the preferred ones first; a server uses the one that the client prefers of
	// those that both have (RFC 9368). Default: Version1, Version2: servers accept every
	// client, and clients begin with version 1, which every server knows.
	Versions []Version
	// OriginalVersion is the version of a client's first packets, one of Versions.
	// Default is Version1 if that is among them, and the first if not. If the server
	// does not know it, a round trip is lost. Version 1 is known to all, and changing
	// from it to another costs none.
	OriginalVersion Version

	// LookupHost, if set, finds the addresses of the host that Dial is given, a name or an
	// address, in place of the system's resolver. Those that come first are tried first,
	// of both families in turn, eight at most. It must heed ctx, and may be called by
	// several goroutines at once.
	LookupHost func(ctx context.Context, host string) ([]netip.Addr, error)

	// HandshakeTimeout is how long a handshake may take. Default 10 s.
	HandshakeTimeout time.Duration
	// MaxIdleTimeout is how long nothing may arrive before the connection
	// counts as dead. The lower of both sides' values is used (RFC 9000,
	// Section 10.1). Default 30 s.
	MaxIdleTimeout time.Duration
	// KeepAlivePeriod is how long a connection may be idle before a PING
	// keeps it alive, always; half of the idle timeout if that is shorter. Default 0:
	// only while work is outstanding, which Conn.Hold tells, and then after 15 seconds.
	// So a connection on which nothing happens, and that nobody holds, ends after
	// MaxIdleTimeout.
	KeepAlivePeriod time.Duration

	// MaxIncomingStreams and MaxIncomingUniStreams are how many streams of a
	// kind the peer may have open at once. Default 100 each, less than 0 for none at
	// all; more than 1<<60 is treated as 1<<60 (RFC 9000, Section 4.6).
	MaxIncomingStreams, MaxIncomingUniStreams int64

	// The flow control windows are how many bytes the peer may send beyond
	// what was read, on a stream and on the connection. They start at the
	// initial size and grow to the largest while the reader keeps up; a stream's to two
	// thirds of MaxConnWindow at most, so that one that nobody reads does not stop the
	// others. Defaults 512 KiB to 6 MiB, and 768 KiB to 15 MiB, or half as much again as
	// a stream's if that is more; the least is 1200 bytes, the most 1<<62-1.
	InitialStreamWindow, MaxStreamWindow uint64
	InitialConnWindow, MaxConnWindow     uint64

	// MaxUDPPayload is the largest UDP payload in bytes that path MTU discovery tries
	// (RFC 9000, Section 14.3), from 1200, the least that QUIC works with, to 65507, the
	// most that IPv4 carries. Default 1452: Ethernet's 1500 less IPv6 and UDP headers.
	// If the whole path has jumbo frames, 8952 fits into those of 9000 bytes; the
	// loopback interface of Linux takes 65507. More than the path carries costs a few
	// lost probes, again every ten minutes; the peer may want less, and what it takes
	// counts. Every path begins with 1200, and a larger size is looked for when there is
	// data to fill it.
	MaxUDPPayload int

	// EnableDatagrams lets the peer send datagrams, and us if it takes them
	// too (RFC 9221).
	EnableDatagrams bool

	// DatagramBurst is how many DATAGRAM frames leave at once, in one packet or
	// several; others that wait follow 200 microseconds later. Receivers keep few of
	// what they read at a time: Firefox the last ten frames. It does not apply while
	// more than 64 datagrams wait, or when some have been waiting at any moment of the
	// last 50 ms. Default 8; less than 0 for no limit.
	DatagramBurst int

	// Allow0RTT allows early data (RFC 9001, Section 4.6): what a client sends in its
	// first packets, before the server has answered, if it has been there before. It saves
	// a round trip. Whoever can read the network can send it to the server again, once or
	// more: so it is for what does no harm when it is done twice, and for what a server
	// finds out to be a replay.
	//
	// A client needs a tls.Config.ClientSessionCache, and no more than one of NextProtos: a
	// server that rejects early data might choose another than it was meant for. When the
	// cache has a session that permits early data, Dial returns at once, and an event-driven
	// connection begins; what is written and opened then is early data. If the server
	// rejects that, it is sent again, within the limits that the server has now, and nobody
	// needs to do anything; datagrams are lost as any are. Conn.AwaitHandshake tells when the
	// handshake is complete. Until then it is not known whether anybody is there at all, and
	// what tls.Config.VerifyConnection has against the server comes after early data. A host
	// with several addresses gets it at the one that the session is from; at others, which
	// may come first, Dial waits for the handshake. A session is used once.
	//
	// A server makes tickets that permit early data, and accepts it once for each; then
	// Listener.Accept returns before the handshake is complete, and so do event-driven
	// connections begin. Conn.AwaitHandshake and event.Turn.HandshakeComplete tell. The keys of
	// tickets are those of the tls.Config, which rotates them, or where
	// tls.Config.SetSessionTicketKeys was called has those given, which several servers
	// may share if they share a ReplayGuard. Default false.
	Allow0RTT bool
	// ReplayGuard remembers for which tickets a server has accepted early data. Default is
	// one in the memory of the Listener, which knows 32768 tickets, and rejects early data
	// with those that another Listener made, or that were made before the oldest that it had
	// to forget. So servers that share the keys of tickets need one that they share, or
	// clients have early data accepted only by the server that they were at before. A ticket
	// permits early data for a day.
	ReplayGuard ReplayGuard
	// EarlyState is what a server's application protocol needs to be as it was when a
	// ticket was made, for its early data to be accepted, such as settings that clients
	// remember (RFC 9001, Section 4.6.1). Up to 1 KiB. Default is none.
	EarlyState []byte

	// TokenStore has the tokens by which a client proves its address to servers that it has
	// been at. Default is one in the memory of the Transport that the connection is dialled
	// on, as NewTokenStore(0, 0) returns it, and none with the function Dial, whose socket is
	// for one connection. Servers give tokens always: they are good for a day, once each as
	// far as one transport knows, at every server with the same keys.
	TokenStore TokenStore

	// Congestion makes the congestion controller of a path: congestion.NewReno,
	// congestion.NewBBR, or one of your own. It is called on the connection's event
	// loop when a path comes into use, of which most connections have one, and must not
	// block. Default is congestion.NewCUBIC, which is also taken when it returns nil.
	Congestion func(congestion.Config) congestion.Controller
	// InitialCongestionWindow is how many packets may be sent on a new path before
	// the first acknowledgment, from 2 to 1000, each counted as at most 1472 bytes.
	// Default 10, which is what RFC 9002, Section 7.2, recommends: it is known not to
	// hurt slow links and small queues, whose owners have no say in it. Some servers
	// begin with 32, which saves one or two round trips of a transfer of some hundred
	// kilobytes where the path can take it.
	InitialCongestionWindow int
	// MaxCongestionWindow bounds, in bytes, what is sent and not yet acknowledged,
	// from 32 KiB to 1 GiB. It is what a peer that acknowledges nothing can make a
	// connection hold, or about twice that when packets are small; the rate of a
	// connection is at most this much for each round trip. Default 16 MiB: 1.3 Gbit/s
	// over 100 ms.
	MaxCongestionWindow int

	// PreferredAddress, if set, is where a server wants its clients to go when the handshake
	// is over (RFC 9000, Section 9.6), such as an address of this machine alone, where the
	// first one is shared by several. Those go there that can, and to which it answers.
	PreferredAddress *PreferredAddress
	// IgnorePreferredAddress has a client stay at the address that it has dialled.
	IgnorePreferredAddress bool
	// DisableActiveMigration has a server ask its clients to stay at their addresses, at which
	// a balancer may know them, unless they have gone to its preferred one (RFC 9000,
	// Section 18.2). Those that move all the same are followed, as it may be their NAT's doing.
	DisableActiveMigration bool
	// AddrChanged, if set, is told that Conn.RemoteAddr or LocalAddr of an established
	// connection returns another address. It is called on the connection's event loop, and
	// must not block. Handlers of package event have a method for that.
	AddrChanged func(*Conn)
	// NetworkLost, if set, is asked when a client's network seems to be gone: no route leads
	// to the server any more, or it has answered nothing for some round trips, and 300 ms.
	// Why, is the error. The connection then moves to the transport that it returns, if that
	// is not nil and the server answers there, as by Conn.AddPath, Path.Probe and
	// Path.Switch, and leaves the path before. It is called in a goroutine of its own, by one at a
	// time for each connection, and asked again a second after that has led to nothing, as long
	// as the server does not answer. The transport is the caller's to close, when the connection
	// has ended.
	//
	// A socket that is bound to no address, as those of Dial are, goes on by itself where
	// the system finds another route: to the server that is a NAT's doing. NetworkLost is for
	// sockets that are bound, and for those who want neither connection IDs nor estimates
	// of one network to be used in another.
	NetworkLost func(c *Conn, err error) (*Transport, error)

	// Tracer, when set, is called when a connection begins, and what it returns is told
	// of all that happens on it, or nil if nobody is. Package qlog has one that writes
	// files: qlog.Dir. Event loops call it, several at a time, and wait for it.
	Tracer func(quictrace.Info) quictrace.Tracer
}

const (
	defaultMaxStreams = 100
	// minWindow is the smallest flow control window: a datagram's worth
	// (RFC 9000, Section 14), below which every packet would wait for credit.
	minWindow = 1200
	// minUDPPayload is what every path carries (RFC 9000, Section 14), and maxUDPPayload
	// what an IPv4 packet of 65535 bytes has room for.
	minUDPPayload, maxUDPPayload = 1200, 65535 - 20 - 8
	// maxEarlyState is what fits into a ticket along with everything else, in bytes.
	maxEarlyState = 1 << 10
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
	return cmp.Or(
		conf.checkVersions(),
		checkDuration("Config.HandshakeTimeout", conf.HandshakeTimeout),
		checkDuration("Config.MaxIdleTimeout", conf.MaxIdleTimeout),
		checkDuration("Config.KeepAlivePeriod", conf.KeepAlivePeriod),
		checkWindows("Config.InitialStreamWindow", conf.InitialStreamWindow, "Config.MaxStreamWindow", conf.MaxStreamWindow),
		checkWindows("Config.InitialConnWindow", conf.InitialConnWindow, "Config.MaxConnWindow", conf.MaxConnWindow),
		checkRange("Config.MaxUDPPayload", conf.MaxUDPPayload, minUDPPayload, maxUDPPayload),
		checkRange("Config.InitialCongestionWindow", conf.InitialCongestionWindow, minInitialCwnd, maxInitialCwnd),
		checkRange("length of Config.EarlyState", len(conf.EarlyState), 1, maxEarlyState),
		conf.PreferredAddress.check(),
		checkRange("Config.MaxCongestionWindow", conf.MaxCongestionWindow, minMaxCwnd, congestion.MaxWindow),
	)
}

// checkDuration refuses a field's value that is negative.
func checkDuration(field string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("quic: %s is negative: %v", field, d)
	}
	return nil
}

// checkRange refuses a field's value that is neither zero nor between two others.
func checkRange[T cmp.Ordered](field string, v, least, most T) error {
	var zero T
	if v == zero || v >= least && v <= most {
		return nil
	}
	return fmt.Errorf("quic: %s is not between %v and %v: %v", field, least, most, v)
}

// checkWindows refuses flow control windows that are no windows, and a first one above
// the largest.
func checkWindows(first string, initial uint64, last string, largest uint64) error {
	err := cmp.Or(
		checkRange(first, initial, minWindow, wire.MaxVarint),
		checkRange(last, largest, minWindow, wire.MaxVarint),
	)
	if err == nil && largest != 0 && initial > largest {
		err = fmt.Errorf("quic: %s is larger than %s: %d and %d", first, last, initial, largest)
	}
	return err
}

// prefixed puts a text before an error, if there is one.
func prefixed(text string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%w", text, err)
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
		EarlyData:           conf.Allow0RTT,
		InitialStreamWindow: conf.InitialStreamWindow,
		MaxStreamWindow:     conf.MaxStreamWindow,
		InitialConnWindow:   conf.InitialConnWindow,
		MaxConnWindow:       conf.MaxConnWindow,
		MaxBidiStreams:      streamLimit(conf.MaxIncomingStreams),
		MaxUniStreams:       streamLimit(conf.MaxIncomingUniStreams),

		DisableActiveMigration: conf.DisableActiveMigration,
		IgnorePreferredAddress: conf.IgnorePreferredAddress,
		App:                    conf.newHooks(),

		MaxDatagramSize:         conf.MaxUDPPayload,
		InitialCongestionWindow: conf.InitialCongestionWindow,
		MaxCongestionWindow:     conf.MaxCongestionWindow,
		NewCongestion:           conf.Congestion,
		NewTracer:               conf.newTracer(),
	}
	e.PreferredIPv4, e.PreferredIPv6 = conf.PreferredAddress.addresses()
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
