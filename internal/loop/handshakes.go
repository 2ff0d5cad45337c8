package loop

import "time"

// A step of a handshake costs as much as hundreds of packets. So those that clients
// ask for wait in a queue. At most maxTurnHandshakes are taken in a turn, or as many
// as are begun within turnHandshakeTime, after established connections had what
// they wanted.
const (
	maxTurnHandshakes = 8
	turnHandshakeTime = 2 * time.Millisecond
)

// handshakes is the connections whose handshakes have a step to take: those
// whose peer's address is validated first, each kind in the order in which they came.
type handshakes struct {
	lists  [2]handshakeList
	length int
}

// handshakeList is a list of connections linked through themselves.
type handshakeList struct{ head, tail *Conn }

// push puts c at the end of its kind unless it waits already.
func (h *handshakes) push(c *Conn) {
	if c.waits {
		return
	}
	c.waits = true
	h.length++
	list := &h.lists[1]
	if c.engine.AddressValidated() {
		list = &h.lists[0]
	}
	if list.tail == nil {
		list.head = c
	} else {
		list.tail.nextWaiting = c
	}
	list.tail = c
}

// pop takes the first one out, nil if there is none.
func (h *handshakes) pop() *Conn {
	for i := range h.lists {
		list := &h.lists[i]
		c := list.head
		if c == nil {
			continue
		}
		list.head = c.nextWaiting
		if list.head == nil {
			list.tail = nil
		}
		c.nextWaiting, c.waits = nil, false
		h.length--
		return c
	}
	return nil
}

// received makes the loop look at a connection that a datagram came for. What a
// handshake has to say before its next step, an acknowledgment, may wait for that
// if it is taken in this turn, and leave with the answer.
func (l *Loop) received(c *Conn) {
	if c.unanswered && c.engine.Answered() {
		l.noteAnswer(c)
	}
	if c.engine.HandshakeWaits() {
		l.handshakes.push(c)
		if l.handshakes.length <= maxTurnHandshakes {
			return
		}
	}
	c.touch()
}

// shake takes steps of handshakes that wait, and reports whether there were any.
func (l *Loop) shake() (any bool) {
	if l.handshakes.length == 0 {
		return false
	}
	end := l.clock().Add(turnHandshakeTime)
	for n := range maxTurnHandshakes {
		now := l.clock()
		if n > 0 && now.After(end) {
			break
		}
		c := l.handshakes.pop()
		if c == nil {
			return true
		}
		if !c.released {
			c.engine.HandleHandshake(now)
			l.received(c)
			l.noteDatagrams(c)
			l.tellDatagrams()
		}
	}
	for i := range l.handshakes.lists { // those that were counted on for this turn
		c := l.handshakes.lists[i].head
		for n := 0; c != nil && n < maxTurnHandshakes; n++ {
			c.touch()
			c = c.nextWaiting
		}
	}
	return true
}

// HandshakeProgressed makes the loop go on with a handshake that was pending: see
// engine.TLS. Any goroutine may call it.
func (c *Conn) HandshakeProgressed() { c.Do(c.goOn) }

func (c *Conn) goOn() {
	c.engine.HandleHandshake(c.loop.clock())
	c.touch()
	c.loop.noteDatagrams(c)
	c.loop.tellDatagrams()
}

// notifier is an engine.TLS that tells when what was pending is done.
type notifier interface {
	Notify(interface{ HandshakeProgressed() })
}
