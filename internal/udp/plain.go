package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Buffers of a plain backend: how many datagrams may wait for the owner outside
// of the kernel, and the largest that is not truncated, a jumbo frame's.
const (
	plainBuffers    = 32
	plainBufferSize = 16 << 10
)

// plain is the backend of systems without one of their own, and of what is no UDP
// socket. It cannot look for a datagram without blocking, so a second goroutine reads
// them ahead. It knows neither ECN nor the local address of datagrams that come to a
// wildcard socket.
type plain struct {
	conn  carrier
	raw   syscall.RawConn // nil for what has no descriptor
	local netip.Addr      // invalid for a wildcard
	count *counters

	arrived chan arrival  // from the reader; closed when it ends
	free    chan []byte   // to the reader
	wakes   chan struct{} // holds a Wake that no recv has answered

	closing   chan struct{}
	closeOnce sync.Once
	reader    sync.WaitGroup
	readErr   error // why the reader ended; read after arrived was closed

	// Of the owner alone.
	msgs  []Message // the batch handed out last
	lent  [][]byte  // its buffers
	timer *time.Timer
}

// arrival is a datagram in a buffer of the free list.
type arrival struct {
	buf    []byte
	size   int
	remote netip.AddrPort
}

// newPlain takes over conn, unless it returns an error.
func newPlain(conn *net.UDPConn, cfg Config, count *counters) (*plain, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	sizes := func() (read, write int) {
		_ = raw.Control(func(fd uintptr) { read, write = bufferSizes(fd) })
		return read, write
	}
	count.readBuffer = growBuffer(cfg.ReadBuffer, conn.SetReadBuffer, func() int { n, _ := sizes(); return n })
	count.writeBuffer = growBuffer(cfg.WriteBuffer, conn.SetWriteBuffer, func() int { _, n := sizes(); return n })
	return startPlain(udpCarrier{conn}, raw, localAddr(conn).Addr(), count), nil
}

// startPlain starts the reader. raw may be nil.
func startPlain(conn carrier, raw syscall.RawConn, local netip.Addr, count *counters) *plain {
	p := &plain{
		conn:    conn,
		raw:     raw,
		count:   count,
		arrived: make(chan arrival, plainBuffers),
		free:    make(chan []byte, plainBuffers),
		wakes:   make(chan struct{}, 1),
		closing: make(chan struct{}),
		timer:   time.NewTimer(time.Hour),
	}
	p.timer.Stop()
	if !local.IsUnspecified() {
		p.local = local
	}
	for range plainBuffers {
		p.free <- make([]byte, plainBufferSize)
	}
	p.reader.Go(p.read)
	return p
}

func (p *plain) setDeaf(bool) error { return errors.ErrUnsupported }

func (p *plain) wake() {
	select {
	case p.wakes <- struct{}{}:
	default:
	}
}

func (p *plain) control(f func(fd uintptr)) error {
	if p.raw == nil {
		return errors.ErrUnsupported
	}
	return closedOr(p.raw.Control(f))
}

func (p *plain) close() error {
	p.closeOnce.Do(func() { close(p.closing) })
	err := p.conn.Close()
	p.reader.Wait()
	return closedOr(err)
}
