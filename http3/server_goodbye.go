package http3

import "time"

// goodbye is how far the end of a connection has come that a server wants to end:
//
//	staying ──notice──▶ noticed ──GOAWAY──▶ refusing ──▶ over
//
// The client learns first that the end is near, and goes on; what it sends before it
// knows is answered. Then it learns which requests will be; later ones are rejected,
// and it may send them again (RFC 9114, Section 5.2). Only when it had time to learn
// of that, too, is the connection closed, as soon as nothing is left to do:
// CONNECTION_CLOSE would take along what has not left or was lost.
type goodbye uint8

const (
	staying goodbye = iota
	noticed
	refusing
	over
)

const (
	// goodbyeRTTs is how many round trips each step takes, so that what a client
	// sends before it knows has arrived.
	goodbyeRTTs = 2
	// goodbyeMin is what a step takes at least: a lost packet is sent again by then.
	goodbyeMin = 20 * time.Millisecond
)

// leave begins to end the connection, unless that goes on already.
func (c *serverConn) leave() {
	if c.goodbye != staying {
		return
	}
	c.goodbye = noticed
	c.sendControl(c.state.AppendGoAwayNotice(nil))
	c.noticeGoAway()
	c.laterStep(c.refuseRequests)
}

// refuseRequests tells the client which requests will not be answered.
func (c *serverConn) refuseRequests() {
	c.goodbye = refusing
	c.sendControl(c.state.AppendGoAway(nil))
	c.noticeGoAway()
	c.laterStep(func() {
		c.goodbye = over
		c.closeIfOver()
	})
}

// closeNow closes the connection at once. The client learns along with it which requests
// were not seen, those that are on their way now above all, and may send them again
// (RFC 9114, Section 5.2).
func (c *serverConn) closeNow() {
	if c.goodbye < refusing {
		c.sendControl(c.state.AppendGoAway(nil))
	}
	c.goodbye = over
	c.qc.StartClose(uint64(ErrCodeNoError), "")
}

// laterStep does on the loop what comes next.
func (c *serverConn) laterStep(next func()) {
	wait := max(goodbyeRTTs*c.qc.Stats().SmoothedRTT, goodbyeMin)
	time.AfterFunc(wait, func() { c.qc.Run(next) })
}

// closeIfOver closes the connection if it is to end and nothing is left to do.
func (c *serverConn) closeIfOver() {
	if c.goodbye == over && c.unused() {
		c.qc.StartClose(uint64(ErrCodeNoError), "")
	}
}

// unused reports whether there is neither a request nor a response that has not
// arrived.
func (c *serverConn) unused() bool {
	return c.handlers.Load() == 0 && c.qc.IncomingStreams() == 0
}
