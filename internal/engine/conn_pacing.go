package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
)

// updatePacer gives the pacer the present rate.
func (c *Conn) updatePacer(now monotime.Time) {
	c.pacer.Update(now, c.cc.PacingRate(c.loss.RTT.Smoothed), c.datagramSize())
}

// paced reports whether stream data may leave now; if not, the deadline at
// which it may is set (RFC 9002, Section 7.7). Only stream data waits: the
// rest is little and urgent.
func (c *Conn) paced(now monotime.Time) bool {
	if c.pacer.Budget(now) > 0 {
		return true
	}
	if at := c.pacer.NextSend(now, pacedTrain*c.datagramSize()); at.After(now) {
		c.deadlines[slotPacing] = at
		return false
	}
	return true
}

// pacedTrain is how many packets the pacer waits for before it lets a train
// go: one system call for several packets, a short queue at the bottleneck.
const pacedTrain = 8
