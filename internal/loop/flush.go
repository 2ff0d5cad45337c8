package loop

import (
	"errors"
	"net"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/udp"
)

const (
	// maxTrainBytes is the room for a train: the largest UDP payload of IPv4,
	// which one segmented send cannot exceed.
	maxTrainBytes = 65507
	// maxTrainSegments is how many datagrams a train may have: Linux's
	// UDP_MAX_SEGMENTS of old. A socket without segmentation sends them one
	// by one.
	maxTrainSegments = 64
	// maxConnTrains is how many trains one connection sends before the others
	// have their turn: about a quarter of a megabyte.
	maxConnTrains = 4
	// maxTurnTrains is about how many trains a turn sends before the loop
	// looks for datagrams again: acknowledgments must not wait long, and the
	// kernel's buffer for them is bounded.
	maxTurnTrains = 32
	// overdueDelay keeps the loop from spinning when a deadline does not move
	// although it was handled.
	overdueDelay = time.Millisecond
)

// flush sends what there is to send, and brings the deadlines up to date.
func (l *Loop) flush() {
	for t, ok := l.endpoint.PollTransmit(l.buf); ok; t, ok = l.endpoint.PollTransmit(l.buf) {
		// An answer to a stranger may get lost: it will ask again.
		_ = l.sock.Send(t.Data, t.Segment, t.Path.Remote, t.Path.Local, uint8(t.ECN))
	}
	last := l.dirty.tail
	for trains := 0; l.dirty.head != nil && trains < maxTurnTrains; {
		c := l.dirty.pop()
		n, more := l.transmit(c)
		trains += max(n, 1)
		if c.brief && !more {
			c.engine.Release(l.clock())
		}
		l.dispatch(c)
		if more || c.untold {
			c.touch()
			c.publish()
		} else {
			c.settle()
		}
		if c == last {
			return
		}
	}
}

// transmit sends trains of one connection and returns how many. more says that
// there may be others.
func (l *Loop) transmit(c *Conn) (trains int, more bool) {
	c.syncRoutes()
	for ; trains < maxConnTrains; trains++ {
		t, ok := c.engine.PollTransmit(l.clock(), l.buf, l.config.SendBatch)
		if !ok {
			return trains, false
		}
		err := c.send(&t)
		// A datagram that was too large was a probe for the path's MTU or will
		// count as lost; when the socket is closed, receiving finds out.
		if errors.Is(err, udp.ErrUnreachable) || t.Path.Socket != 0 && errors.Is(err, net.ErrClosed) {
			c.noteUnreachable(t.Path, err)
		}
	}
	return trains, true
}

// noteUnreachable is told that this machine has no way to send on a path. If that is not
// the one in use, nobody needs to wait for an answer there.
func (c *Conn) noteUnreachable(a path.Addrs, err error) {
	if a != c.engine.Path() {
		_ = c.engine.LeavePath(a) // it is not in use
		return
	}
	c.handler.HandleUnreachable(err)
}

// settle ends a connection's part in a turn.
func (c *Conn) settle() {
	if c.released {
		return
	}
	at := c.engine.Deadline()
	if !at.IsZero() && !at.After(c.firedAt) {
		c.loop.overdue()
		at = c.firedAt.Add(overdueDelay)
	}
	if c.timers != nil {
		at = monotime.Earliest(at, c.timers.next().at)
	}
	c.loop.deadlines.set(&c.entry, at)
	c.publish()
}
