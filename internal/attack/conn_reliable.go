package attack

import (
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// reordering is after how many later packets one counts as lost (RFC 9002,
	// Section 6.1.1), and tailLoss after how long without any.
	reordering = 3
	tailLoss   = 200 * time.Millisecond
	// windowPatience is how long an attacker waits for room in its window.
	windowPatience = time.Second
)

// awaitWindow waits until another packet may be sent, or the server has not answered
// for so long that the attacker goes on without.
func (c *conn) awaitWindow() {
	for start := time.Now(); len(c.unacked) >= c.window && c.alive() && time.Since(start) < windowPatience; {
		c.a.poll(5 * time.Millisecond)
	}
	if len(c.unacked) >= c.window {
		c.unacked = c.unacked[:0] // they count as gone
	}
}

// readAck takes note of what arrived.
func (c *conn) readAck(f *wire.Ack) {
	c.ackedTo = max(c.ackedTo, f.Largest)
	c.keys.OnAcked(f.Largest)
	if len(c.unacked) == 0 {
		return
	}
	left := c.unacked[:0]
	for _, p := range c.unacked {
		acked := false
		for r := range f.Ranges() {
			acked = acked || r.Smallest <= p.pn && p.pn <= r.Largest
		}
		if !acked {
			left = append(left, p)
		}
	}
	c.unacked = left
}

// resend sends what was lost once more.
func (c *conn) resend() {
	now := time.Now()
	for i := range c.unacked {
		p := &c.unacked[i]
		if p.pn+reordering > c.ackedTo && now.Sub(p.at) < tailLoss {
			continue
		}
		p.pn, p.at = c.spaces[wire.AppSpace].next, now
		c.sendIn(wire.AppSpace, p.payload)
	}
}

// acknowledge sends the acknowledgments that are due.
func (c *conn) acknowledge() {
	c.sendHandshake()
	sp := &c.spaces[wire.AppSpace]
	if !sp.owed || c.mute || !c.keys.CanWrite() || c.closed != nil {
		return
	}
	sp.owed = false
	c.sendIn(wire.AppSpace, wire.AppendAck(nil, maxAck, 0, sp.received, nil))
}
