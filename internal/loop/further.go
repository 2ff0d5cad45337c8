package loop

import (
	"errors"
	"net/netip"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/udp"
)

// A connection stays on its loop when it uses the sockets of others: it sends there by
// itself, beside their owners, and what comes there for it is handed to its loop (guests).

// maxFurther is how many further sockets a connection may use at a time: more than there are
// connection IDs of the peer's for.
const maxFurther = 8

var (
	// ErrManySockets: a connection uses maxFurther sockets already.
	ErrManySockets = errors.New("the connection uses too many sockets already")
	// ErrOwnSocket: the connection lives on the loop.
	ErrOwnSocket = errors.New("the connection has this socket already")
)

// further are the sockets that a connection uses beside its loop's.
type further struct {
	list    []*furtherSocket // number 1 first; nil for those that were given up
	known   routes           // of which the sockets' groups know
	changes uint32           // as known has them
}

// furtherSocket is one of another loop's.
type furtherSocket struct {
	loop   *Loop
	sender udp.Sender
	failed error // why nothing can be sent by it; nil when the last send went well
}

// sharedSocket is a Socket by which others may send: see udp.Socket.
type sharedSocket interface{ Sender() udp.Sender }

// AddSocket lets the connection use the socket of another loop, and returns the number that
// it has in paths from then on. The error is ErrManySockets, ErrOwnSocket, or that of a
// socket that nobody else can send by.
func (c *Conn) AddSocket(l *Loop) (uint8, error) {
	s, ok := l.sock.(sharedSocket)
	switch {
	case c.released:
		return 0, engine.ErrClosed
	case l == c.loop || l.guests == c.loop.guests:
		return 0, ErrOwnSocket
	case !ok:
		return 0, errCannotShare
	}
	if c.further == nil {
		c.further = &further{changes: ^uint32(0)} // which is never a number of changes
	}
	f := c.further
	place := len(f.list)
	for i, used := range f.list {
		if used == nil {
			place = i
			break
		}
	}
	if place == maxFurther {
		return 0, ErrManySockets
	}
	if place == len(f.list) {
		f.list = append(f.list, nil)
	}
	f.list[place] = &furtherSocket{loop: l, sender: s.Sender()}
	c.syncRoutes()
	l.guests.replace(guest{c.loop, uint8(place + 1)}, new(routes), &f.known)
	return uint8(place + 1), nil
}

// RemoveSocket ends the use of one, whose paths must have been left.
func (c *Conn) RemoveSocket(n uint8) {
	if s := c.furtherSocket(n); s != nil {
		f := c.further
		s.loop.guests.replace(guest{c.loop, n}, &f.known, new(routes))
		f.list[n-1] = nil
		for i, other := range f.list {
			if other != nil && other.loop.guests == s.loop.guests { // the routes were those of one of them
				other.loop.guests.replace(guest{c.loop, uint8(i + 1)}, new(routes), &f.known)
			}
		}
	}
}

// furtherSocket returns the one with a number, nil if there is none.
func (c *Conn) furtherSocket(n uint8) *furtherSocket {
	if c.further == nil || n == 0 || int(n) > len(c.further.list) {
		return nil
	}
	return c.further.list[n-1]
}

// syncRoutes has the further sockets' groups know by what the connection is reached now.
func (c *Conn) syncRoutes() {
	f := c.further
	if f == nil || f.changes == c.engine.RoutesChanges() {
		return
	}
	f.changes = c.engine.RoutesChanges()
	var now routes
	now.ids, now.tokens = c.engine.Routes()
	for i, s := range f.list {
		if s != nil {
			s.loop.guests.replace(guest{c.loop, uint8(i + 1)}, &f.known, &now)
		}
	}
	f.known = now
}

// leaveSockets ends the use of all further sockets.
func (c *Conn) leaveSockets() {
	if c.further == nil {
		return
	}
	for i := range c.further.list {
		c.RemoveSocket(uint8(i + 1))
	}
	c.further = nil
}

// send sends a train of the connection's by the socket that it names.
func (c *Conn) send(t *engine.Transmit) error {
	if t.Path.Socket == 0 {
		return c.loop.sock.Send(t.Data, t.Segment, t.Path.Remote, t.Path.Local, uint8(t.ECN))
	}
	s := c.furtherSocket(t.Path.Socket)
	if s == nil {
		return nil // given up since
	}
	s.failed = s.sender.Send(t.Data, t.Segment, t.Path.Remote, t.Path.Local, uint8(t.ECN))
	if errors.Is(s.failed, udp.ErrMessageSize) {
		s.failed = nil // a probe for the path's MTU
	}
	return s.failed
}

// SocketError returns why nothing can be sent by a further socket, nil if something can.
func (c *Conn) SocketError(n uint8) error {
	if s := c.furtherSocket(n); s != nil {
		return s.failed
	}
	return nil
}

// SocketAddr returns the address of one of the connection's sockets, 0 for its loop's.
func (c *Conn) SocketAddr(n uint8) netip.AddrPort {
	if s := c.furtherSocket(n); s != nil {
		return s.loop.LocalAddr()
	}
	return c.loop.LocalAddr()
}

// pathBy returns the path by a socket to where the server is.
func (c *Conn) pathBy(socket uint8) path.Addrs {
	a := c.engine.Path()
	if a.Socket != socket {
		a.Socket, a.Local = socket, netip.Addr{}
	}
	return a
}

// ProbePath is engine.Conn.ProbePath, of the path by a socket to where the server is.
func (c *Conn) ProbePath(socket uint8) error {
	if c.released {
		return engine.ErrClosed
	}
	c.touch()
	return c.engine.ProbePath(c.loop.clock(), c.pathBy(socket))
}

// SwitchPath is engine.Conn.SwitchPath, likewise.
func (c *Conn) SwitchPath(socket uint8) error {
	if c.released {
		return engine.ErrClosed
	}
	c.touch()
	return c.engine.SwitchPath(c.loop.clock(), c.pathBy(socket))
}

// LeavePath is engine.Conn.LeaveSocket.
func (c *Conn) LeavePath(socket uint8) error {
	if c.released {
		return nil
	}
	c.touch()
	return c.engine.LeaveSocket(socket)
}

// PathStanding is engine.Conn.PathStanding, likewise.
func (c *Conn) PathStanding(socket uint8) engine.PathStanding {
	if c.released {
		return engine.PathUnknown
	}
	return c.engine.PathStanding(c.pathBy(socket))
}

// Silent is engine.Conn.Silent.
func (c *Conn) Silent() bool { return !c.released && c.engine.Silent() }
