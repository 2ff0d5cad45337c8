package quic

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"syscall"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/udp"
)

// TransportConfig says how a Transport works: its sockets, its event loops, and what
// all its connections may take together. What one connection does is in Config. A nil
// *TransportConfig and fields that are zero mean the defaults. Negative values are refused
// where a field does not say what they mean. It is copied, so that it may be shared, and
// changed later for the next.
type TransportConfig struct {
	// Loops is how many event loops serve the address, each with a socket and a
	// share of the connections, up to 64. More than one are a matter of Linux. Default
	// is one for each processor that Go may use (GOMAXPROCS), up to 16, with Listen and
	// TransportConfig.Listen, and 1 with NewTransport and Dial: a server that listens on
	// a transport of NewTransport's should set it. With Sockets it is their number.
	Loops int

	// Sockets are used in place of sockets that would be opened, one for each loop; all
	// must have the same address, and have been bound in this order. They belong to what
	// the configuration is given to, which closes them in the end, also where it fails,
	// and nothing else may read from them. So the configuration is for one transport.
	//
	// A *net.UDPConn is as good as a socket opened here, with GSO, GRO, ECN, batches and
	// large buffers; it must not be connected, its options are set, and the value itself
	// must not be used any more: there is Transport.NonQUIC. Anything else, also what
	// embeds a *net.UDPConn, is read and written one datagram a call, without ECN and
	// without a word on fragments (RFC 9000, Section 14). Its Close must end ReadFrom. An
	// error of ReadFrom that is no net.ErrClosed and not Temporary ends the transport, and
	// one of WriteTo loses a datagram. Where its addresses are no *net.UDPAddr, those that
	// Dial takes are as their String says, without a host and so with a ServerName, and
	// all clients count as one source.
	Sockets []net.PacketConn
	// Control, if set, is called for each socket that is opened, before it is bound: see
	// net.ListenConfig.
	Control func(network, address string, c syscall.RawConn) error

	// Predecessor, if set, is a Unix stream socket to a process that calls
	// Transport.HandOver. Its transport's sockets are taken then, one for each loop, its
	// StatelessResetKey, and what its tokens are made with. They are read from when this
	// transport listens; what comes for connections of the predecessor is passed on to it.
	// The caller closes the Unix socket. It is a matter of Linux.
	Predecessor *net.UnixConn

	// SocketBuffer is the size in bytes to ask of the kernel for the buffers of each
	// socket, one to send and one to receive. Default 7 MiB.
	SocketBuffer int
	// SendBatch is how many datagrams of one connection are given to the kernel in
	// one call at most, and ReceiveBatch how many messages one call reads, each a
	// datagram or, with GRO, a train of up to 64 KiB for which there is memory. Less
	// of either makes a loop turn to other connections sooner, and costs calls.
	// Defaults are 64, which is the most, and 8, or 32 without GRO; ReceiveBatch may
	// be up to 1024. They count on Linux.
	SendBatch, ReceiveBatch int
	// DisableGSO and DisableGRO forgo Linux's segmentation offloads.
	DisableGSO, DisableGRO bool

	// ConnectionIDs makes the connection IDs that this side gives out. Default is
	// RandomConnectionIDs(8, 0).
	ConnectionIDs ConnectionIDGenerator
	// StatelessResetKey lets a server that was restarted end the connections
	// it knew before, if it has the same key again (RFC 9000, Section 10.3).
	// Default is a random one. Two servers with the same key that run at the same time
	// must be as those with FleetKeys are.
	StatelessResetKey *[32]byte
	// FleetKeys are what servers share that clients take for one, in place of
	// StatelessResetKey and of a random key of address validation tokens. Where there is a
	// Predecessor, its keys are older ones.
	FleetKeys *FleetKeys
	// RequireAddressValidation makes a server ask every client to prove its
	// address with a Retry packet, which costs a round trip (RFC 9000,
	// Section 8.1.2). Without it, that happens only from RetryThreshold on.
	RequireAddressValidation bool

	// The limits that follow are over all loops and connections of the transport. Zero
	// means the default, which suits a machine with 1 GiB of memory; less than 0 means
	// that there is no limit. docs/operating.md adds up what strangers can make a server hold.

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

	// Logger is told what an operator should know; nil stands for slog.Default(). It is called in
	// a goroutine of its own, so that it may take long, and up to 100 times a second;
	// one line then says how many records were left out. Transport.Close waits for it,
	// a second at most.
	Logger *slog.Logger
}

const (
	// maxDefaultLoops is how many loops a listener's transport has by itself: as many
	// as fill networks of today, each costs about a megabyte.
	maxDefaultLoops = 16
	// maxSendBatch is the kernel's limit for segments of a send (UDP_MAX_SEGMENTS
	// of old), and maxReceiveBatch the one for messages of a call (UIO_MAXIOV).
	maxSendBatch, maxReceiveBatch = 64, 1024
	// maxSocketBuffer is what setsockopt takes: an int of 32 bits.
	maxSocketBuffer = 1<<31 - 1
)

func defaultLoops() int {
	if runtime.GOOS != "linux" {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), maxDefaultLoops)
}

// Listen is the function Listen, with such a transport.
func (tc *TransportConfig) Listen(addr string, tlsConf *tls.Config, conf *Config) (*Listener, error) {
	return tc.listen(addr, tlsConf, conf, nil)
}

// listen is Listen for connections with handlers, if newHandler is not nil.
func (tc *TransportConfig) listen(addr string, tlsConf *tls.Config, conf *Config, newHandler any) (*Listener, error) {
	if err := cmp.Or(checkServerTLS(tlsConf), conf.orDefault().validate()); err != nil {
		return nil, tc.giveUp(err) // before a socket is opened
	}
	own := *tc.orDefault()
	if own.Predecessor == nil {
		own.Loops = cmp.Or(own.Loops, len(own.Sockets), defaultLoops())
	}
	t, err := NewTransport(addr, &own)
	if err != nil {
		return nil, err
	}
	l, err := t.listen(tlsConf, conf, newHandler)
	if err != nil {
		t.Close()
		return nil, err
	}
	t.setTemporary()
	return l, nil
}

// orDefault returns tc, or an empty one for nil.
func (tc *TransportConfig) orDefault() *TransportConfig {
	if tc == nil {
		return &TransportConfig{}
	}
	return tc
}

// validate refuses what cannot work.
func (tc *TransportConfig) validate() error {
	return cmp.Or(
		checkRange("TransportConfig.Loops", tc.Loops, 1, connid.MaxShards),
		checkRange("TransportConfig.SocketBuffer", tc.SocketBuffer, 1, maxSocketBuffer),
		checkRange("TransportConfig.SendBatch", tc.SendBatch, 1, maxSendBatch),
		checkRange("TransportConfig.ReceiveBatch", tc.ReceiveBatch, 1, maxReceiveBatch),
		tc.checkSockets(),
		tc.checkKeys(),
		prefixed("quic: TransportConfig.ConnectionIDs: ", connid.Check(tc.connectionIDs(), max(tc.Loops, len(tc.Sockets), 1))),
	)
}

// checkKeys refuses two keys for one purpose.
func (tc *TransportConfig) checkKeys() error {
	if k := tc.FleetKeys; k != nil && len(k.resets) == 0 {
		return errors.New("quic: TransportConfig.FleetKeys has no secrets: NewFleetKeys makes it")
	} else if k != nil && tc.StatelessResetKey != nil {
		return errors.New("quic: TransportConfig.FleetKeys takes the place of StatelessResetKey: set one of them")
	}
	return nil
}

// connectionIDs returns the generator to use.
func (tc *TransportConfig) connectionIDs() connid.Generator {
	if tc.ConnectionIDs == nil {
		return connid.Default
	}
	return tc.ConnectionIDs
}

// logHandler returns what tells Logger, and does not wait for it: for event loops, and for
// what peers cause.
func (tc *TransportConfig) logHandler() *asynclog.Handler {
	return asynclog.New(cmp.Or(tc.Logger, slog.Default()).Handler())
}

// udp returns what sockets are like.
func (tc *TransportConfig) udp() udp.Config {
	return udp.Config{
		ReadBuffer:   tc.SocketBuffer,
		WriteBuffer:  tc.SocketBuffer,
		DisableGSO:   tc.DisableGSO,
		DisableGRO:   tc.DisableGRO,
		ReceiveBatch: tc.ReceiveBatch,
		Control:      tc.Control,
		Logger:       tc.Logger,
	}
}

// resetKey returns what the tokens of stateless resets are made with.
func (tc *TransportConfig) resetKey() (key [32]byte) {
	if tc.StatelessResetKey != nil {
		return *tc.StatelessResetKey
	}
	rand.Read(key[:])
	return key
}
