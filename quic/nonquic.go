package quic

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/bounded"
)

// What is kept of packets that are not QUIC until they are read: a burst of a protocol
// that shares the port. Further ones are dropped, as by a socket whose buffer is full.
const (
	maxNonQUICPackets = 256
	maxNonQUICPacket  = 16 << 10 // bytes; no path beyond this machine carries more
)

// NonQUIC returns the rest of the transport's socket, for other protocols on the same
// port: STUN, RTP, WireGuard. It reads what is not QUIC by its first byte, whose second
// bit is clear (RFC 9443, Section 3), and sends anything. What is not read in time is
// dropped, beyond 256 packets and those of more than 16 KiB; the readers share what
// comes. TURN's channels cannot be told from QUIC, and a Version Negotiation packet whose
// server does not set that bit is not seen by connections any more.
//
// Nothing is kept before NonQUIC is called, and all calls return the same. Close ends
// that again, and leaves the transport alone; when the transport ends, the error is
// net.ErrClosed. Its methods may be called from any goroutine; there are no deadlines for
// writing, as that does not wait for long.
func (t *Transport) NonQUIC() net.PacketConn {
	t.nonQUIC.open()
	return &t.nonQUIC
}

// nonQUIC is what NonQUIC returns.
type nonQUIC struct {
	transport *Transport
	ready     chan struct{} // has a token if one of those who read should look

	mu       sync.Mutex
	isOpen   bool
	over     bool     // the transport has ended
	ring     []packet // maxNonQUICPackets, while open
	first, n int      // of those that wait
	dropped  uint64
	deadline time.Time
	changed  chan struct{} // closed when the deadline is another, or at the end
}

// packet is one that waits. Its memory is used again.
type packet struct {
	data []byte
	from netip.AddrPort
}

func (q *nonQUIC) init(t *Transport) {
	q.transport, q.ready, q.changed = t, make(chan struct{}, 1), make(chan struct{})
}

func (q *nonQUIC) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isOpen {
		q.isOpen, q.ring = true, make([]packet, maxNonQUICPackets)
	}
}

// put keeps a packet, and reports false if nobody wants it. On a loop's goroutine.
func (q *nonQUIC) put(data []byte, from netip.AddrPort) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isOpen {
		return false
	}
	if q.n == len(q.ring) || len(data) > maxNonQUICPacket {
		q.dropped++
		return true
	}
	p := &q.ring[(q.first+q.n)%len(q.ring)]
	p.data, p.from = append(p.data[:0], data...), from
	q.n++
	q.wake()
	return true
}

// lost returns how many packets there was no room for.
func (q *nonQUIC) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// wake has one of those who read look. The lock is held.
func (q *nonQUIC) wake() {
	select {
	case q.ready <- struct{}{}:
	default: // one is about to
	}
}

// ReadFrom implements net.PacketConn. Bytes that p has no room for are lost.
func (q *nonQUIC) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, deadline, changed, err := q.take(p)
		switch {
		case err != nil:
			return 0, nil, &net.OpError{Op: "read", Net: "udp", Addr: q.LocalAddr(), Err: err}
		case from.IsValid():
			return n, q.transport.workers[0].NetAddr(from), nil
		case deadline.IsZero():
			select {
			case <-q.ready:
			case <-changed:
			}
		default:
			bounded.Wait(time.Until(deadline), q.ready, changed)
		}
	}
}

// take returns the first packet that waits, an invalid address if there is none yet, and
// what to wait for then.
func (q *nonQUIC) take(p []byte) (n int, from netip.AddrPort, deadline time.Time, changed <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.isOpen || q.over:
		return 0, from, q.deadline, nil, net.ErrClosed
	case !q.deadline.IsZero() && !q.deadline.After(time.Now()):
		return 0, from, q.deadline, nil, os.ErrDeadlineExceeded
	case q.n == 0:
		return 0, from, q.deadline, q.changed, nil
	}
	first := &q.ring[q.first]
	n, from = copy(p, first.data), first.from
	q.first, q.n = (q.first+1)%len(q.ring), q.n-1
	if q.n > 0 {
		q.wake() // another one
	}
	return n, from, q.deadline, nil, nil
}

// change makes those who wait look again. The lock is held.
func (q *nonQUIC) change() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// ended makes those who read return. It is called when a loop has ended.
func (q *nonQUIC) ended() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.change()
}

// WriteTo implements net.PacketConn. The packet leaves by the transport's socket.
func (q *nonQUIC) WriteTo(p []byte, to net.Addr) (int, error) {
	q.mu.Lock()
	open := q.isOpen && !q.over
	q.mu.Unlock()
	err := error(net.ErrClosed)
	switch {
	case to == nil:
		err = errNoAddress
	case open:
		err = q.transport.workers[0].Write(p, to)
	}
	if err != nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Source: q.LocalAddr(), Addr: to, Err: err}
	}
	return len(p), nil
}

// errNoAddress is that of a WriteTo nobody.
var errNoAddress = errors.New("missing address")

// Close implements net.PacketConn.
func (q *nonQUIC) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isOpen {
		return net.ErrClosed
	}
	q.isOpen, q.ring, q.first, q.n, q.deadline = false, nil, 0, 0, time.Time{}
	q.change()
	return nil
}

// LocalAddr implements net.PacketConn.
func (q *nonQUIC) LocalAddr() net.Addr { return q.transport.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (q *nonQUIC) SetDeadline(t time.Time) error { return q.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (q *nonQUIC) SetReadDeadline(t time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline = t
	q.change()
	return nil
}

// SetWriteDeadline implements net.PacketConn.
func (q *nonQUIC) SetWriteDeadline(time.Time) error { return nil }
