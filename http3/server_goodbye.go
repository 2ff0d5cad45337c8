package http3

import (
	"time"

	"github.com/godwit-quic/godwit/quic"
)

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
func (c *serverConn) leave(t *quic.Turn) {
	if c.goodbye != staying {
		return
	}
	c.goodbye = noticed
	c.leaving.Store(true)
	c.sendControl(t, c.state.AppendGoAwayNotice(nil))
	c.noticeGoAway(t)
	c.laterStep(t, c.refuseRequests)
}

// refuseRequests tells the client which requests will not be answered.
func (c *serverConn) refuseRequests(t *quic.Turn) {
	c.goodbye = refusing
	c.leaving.Store(true)
	c.sendControl(t, c.state.AppendGoAway(nil))
	c.noticeGoAway(t)
	c.laterStep(t, func(t *quic.Turn) {
		c.goodbye = over
		c.closeIfOver(t)
	})
}

// closeNow closes the connection at once. The client learns along with it which requests
// were not seen, those that are on their way now above all, and may send them again
// (RFC 9114, Section 5.2).
func (c *serverConn) closeNow(t *quic.Turn) {
	if c.goodbye < refusing {
		c.sendControl(t, c.state.AppendGoAway(nil))
	}
	c.goodbye = over
	closeQuietly(t)
}

// laterStep does on the loop what comes next.
func (c *serverConn) laterStep(t *quic.Turn, next quic.TimerFunc) {
	wait := max(goodbyeRTTs*c.qc.Stats().SmoothedRTT, goodbyeMin)
	t.SetTimer(new(quic.Timer), t.Now()+wait, next)
}

// closeIfOver closes the connection if it is to end and nothing is left to do.
func (c *serverConn) closeIfOver(t *quic.Turn) {
	if c.goodbye == over && c.unused(t) {
		closeQuietly(t)
	}
}

// unused reports whether there is neither a request nor a response that has not
// arrived.
func (c *serverConn) unused(t *quic.Turn) bool {
	return c.handlers.Load() == 0 && t.IncomingStreams() == 0
}
