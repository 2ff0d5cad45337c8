package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Stats are a connection's figures at one moment.
type Stats struct {
	Version wire.Version // of QUIC, as far as it is agreed on

	MinRTT, SmoothedRTT, LatestRTT, RTTVar time.Duration

	CongestionWindow int // bytes
	BytesInFlight    int
	DatagramSize     int // what path MTU discovery found

	Counters
}

// Counters are what a connection has counted so far.
type Counters struct {
	SentBytes, ReceivedBytes     uint64 // UDP payload
	SentPackets, ReceivedPackets uint64
	LostBytes, LostPackets       uint64
	ProbeTimeouts                uint64
	KeyUpdates                   uint64
	Undecryptable                uint64 // packets that did not authenticate
	Duplicates                   uint64 // packets received again
}

// MemoryHeld returns how many bytes the connection's buffers hold.
func (c *Conn) MemoryHeld() int64 { return c.flow.account.Held() }

// CountBuffered counts n bytes more, or less, that the application keeps of what was
// received, and reports whether the connection holds no more than its share. Any
// goroutine may call it.
func (c *Conn) CountBuffered(n int) bool { return c.flow.account.Count(n) }

// Progress returns how many bytes of streams were sent and read so far.
func (c *Conn) Progress() uint64 {
	return c.flow.sent + c.flow.recv.consumed + c.flow.account.Unreported()
}

// Stats returns the figures now.
func (c *Conn) Stats() Stats {
	s := Stats{Version: c.version, Counters: c.counters}
	p := c.paths.Current
	rtt := &p.RTT
	s.MinRTT, s.SmoothedRTT, s.LatestRTT, s.RTTVar = rtt.Min, rtt.Smoothed, rtt.Latest, rtt.Var
	s.CongestionWindow = p.Window()
	s.BytesInFlight = p.InFlight()
	s.DatagramSize = p.MTU.Size()
	return s
}
