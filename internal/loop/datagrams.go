package loop

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// DATAGRAM frames are not copied by the engine: their bytes lie in what the socket has
// received, which serves again when it is read next. So their connections are told of
// what has happened as soon as a message has been handled, and not with the others at
// the end of the turn.

// maxUntoldDatagrams is how many may have come for one connection before it is told at
// once: below what the engine keeps, and more than most trains hold.
const maxUntoldDatagrams = 512

// noteDatagrams notes that a connection is to be told of datagrams if there are any.
func (l *Loop) noteDatagrams(c *Conn) {
	n := c.engine.ReceivedDatagrams()
	if n == 0 {
		return
	}
	if last := len(l.untold) - 1; last < 0 || l.untold[last] != c {
		l.untold = append(l.untold, c)
	}
	if n >= maxUntoldDatagrams {
		l.tellDatagrams()
	}
}

// tellDatagrams tells connections of the datagrams that have come for them, and of what
// came before.
func (l *Loop) tellDatagrams() {
	for i, c := range l.untold {
		l.untold[i] = nil
		l.dispatch(c)
		c.handleDatagrams() // unless that has come to it
	}
	l.untold = l.untold[:0]
}

// handleDatagrams hands over what the engine has received.
func (c *Conn) handleDatagrams() {
	if list := c.engine.PollDatagrams(); len(list) > 0 {
		c.handler.HandleDatagrams(list)
	}
}

// SendDatagram sends a datagram made of the parts given. It does not wait and keeps
// none of them: what does not leave in time is dropped, the oldest first. The error is
// streambuf.ErrDatagramsOff or ErrDatagramTooLarge. However often it is called before
// the loop takes notice, the loop is told once. Any goroutine may call it.
func (c *Conn) SendDatagram(parts ...[]byte) error {
	d := c.engine.Datagrams()
	if d == nil {
		return streambuf.ErrDatagramsOff
	}
	if err := d.Out.Send(parts...); err != nil {
		return err
	}
	if c.flags.Load()&datagramsQueued == 0 && c.flags.Or(datagramsQueued)&datagramsQueued == 0 {
		c.loop.post(item{conn: c})
	}
	return nil
}

// sendDatagrams makes the loop look at what SendDatagram was given.
func (c *Conn) sendDatagrams() {
	c.flags.And(^uint32(datagramsQueued))
	c.touch()
}

// Datagrams returns the connection's datagrams, nil when they are off. Any goroutine may
// use what is to be sent.
func (c *Conn) Datagrams() *engine.Datagrams { return c.engine.Datagrams() }
