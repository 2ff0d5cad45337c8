package quictest

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/udp"
)

// conn is a socket of a Network.
type conn struct {
	socket *memnet.Socket
	reader chan struct{} // holds a token while nobody reads: a lock that a bubble may wait for
	read   []udp.Message // and not asked for yet; of the reader

	mu       sync.Mutex
	deadline time.Time
}

func newConn(s *memnet.Socket) *conn {
	c := &conn{socket: s, reader: make(chan struct{}, 1)}
	c.reader <- struct{}{}
	return c
}

// ReadFrom implements net.PacketConn. Bytes that p has no room for are lost.
func (c *conn) ReadFrom(p []byte) (int, net.Addr, error) {
	<-c.reader
	defer func() { c.reader <- struct{}{} }()
	for len(c.read) == 0 {
		c.mu.Lock()
		deadline := c.deadline
		c.mu.Unlock()
		var err error
		if c.read, err = c.socket.Recv(deadline); err != nil {
			return 0, nil, c.failed("read", nil, err)
		}
		if len(c.read) == 0 && !deadline.IsZero() && !deadline.After(time.Now()) {
			return 0, nil, c.failed("read", nil, os.ErrDeadlineExceeded)
		}
	}
	m := c.read[0]
	c.read = c.read[1:]
	return copy(p, m.Data), net.UDPAddrFromAddrPort(m.Remote), nil
}

// WriteTo implements net.PacketConn. An address at which nobody is gets nothing.
func (c *conn) WriteTo(p []byte, to net.Addr) (int, error) {
	addr, err := netip.ParseAddrPort(to.String())
	if err == nil {
		err = c.socket.Send(p, 0, addr, netip.Addr{}, 0)
	}
	if err != nil {
		return 0, c.failed("write", to, err)
	}
	return len(p), nil
}

// failed returns the error of an operation as package net has it.
func (c *conn) failed(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Addr: to, Err: err}
}

// Close implements net.PacketConn.
func (c *conn) Close() error { return c.socket.Close() }

// LocalAddr implements net.PacketConn.
func (c *conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.socket.LocalAddr()) }

// SetDeadline implements net.PacketConn.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	c.socket.Wake() // who reads looks again
	return nil
}

// SetWriteDeadline implements net.PacketConn. Writing does not wait.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
