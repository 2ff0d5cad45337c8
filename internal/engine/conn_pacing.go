package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
)

// updatePacer gives the pacer the present rate.
func (c *Conn) updatePacer(now monotime.Time) {
	p := c.paths.Current
	p.Pacer.Update(now, p.Controller.PacingRate(), p.MTU.Size())
}

// paced reports whether stream data may leave now; if not, the deadline at
// which it may is set (RFC 9002, Section 7.7). Only stream data waits: the
// rest is little and urgent.
func (c *Conn) paced(now monotime.Time) bool {
	p := c.paths.Current
	if p.Pacer.Budget(now) > 0 {
		return true
	}
	quantum := p.Controller.SendQuantum()
	if quantum <= 0 {
		quantum = pacedTrain * p.MTU.Size()
	}
	if at := p.Pacer.NextSend(now, quantum); at.After(now) {
		c.deadlines[slotPacing] = at
		return false
	}
	return true
}

// pacedTrain is how many packets the pacer waits for before it lets a train
// go, unless the congestion controller says another quantum: one system call for
// several packets, a short queue at the bottleneck.
const pacedTrain = 8
