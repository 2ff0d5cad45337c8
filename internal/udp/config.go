package udp

import (
	"log/slog"
	"syscall"
)

// DefaultBuffer is asked of the kernel for each direction when Config names no
// size, in bytes. It holds what 1 Gbit/s brings in 56 ms, a long pause of a
// loop, and fits the net.core.rmem_max of 7,500,000 that administrators of
// other QUIC servers have been told to set.
const DefaultBuffer = 7 << 20

// Config chooses a socket's behaviour. The zero Config is what most callers
// want.
type Config struct {
	// ReadBuffer and WriteBuffer are the kernel buffers to ask for, in bytes;
	// zero means DefaultBuffer. The kernel may give less, see Stats.
	ReadBuffer, WriteBuffer int

	// DisableGSO, DisableGRO and DisableECN leave out a facility that the
	// kernel would offer: segmented sends, coalesced receives, and reading and
	// writing the ECN field.
	DisableGSO, DisableGRO, DisableECN bool

	// ReceiveBatch is how many messages one call may read, each a datagram or,
	// with GRO, a train of 64 KiB at most; zero stands for 8 with GRO and 32
	// without. Each takes memory. It matters on Linux only.
	ReceiveBatch int

	// ReusePort lets several sockets, each with this option, share one
	// address; the kernel spreads the datagrams by a hash of the addresses.
	ReusePort bool

	// Bell is a descriptor that makes Recv return, too, whenever something is written to
	// it, an eventfd that nobody reads; 0 for none. It is a matter of Linux.
	Bell int

	// Control, if not nil, is called for each socket that is opened, before it is bound, as
	// that of net.ListenConfig is.
	Control func(network, address string, c syscall.RawConn) error

	// Logger is told once, at Listen, when the kernel gave smaller buffers
	// than asked. Nil means that nobody is told.
	Logger *slog.Logger
}

// withDefaults returns c with every zero size replaced.
func (c Config) withDefaults() Config {
	if c.ReadBuffer <= 0 {
		c.ReadBuffer = DefaultBuffer
	}
	if c.WriteBuffer <= 0 {
		c.WriteBuffer = DefaultBuffer
	}
	return c
}
