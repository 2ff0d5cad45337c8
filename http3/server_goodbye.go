package http3

import (
	"time"

	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic/event"
)

const (
	// goodbyeRTTs is how many round trips each step takes, so that what a client
	// sends before it knows has arrived.
	goodbyeRTTs = 2
	// goodbyeMin is what a step takes at least: a lost packet is sent again by then.
	goodbyeMin = 20 * time.Millisecond
)

// leave begins to end the connection, in two steps, unless that goes on already.
func (c *serverConn) leave(t event.Turn) {
	c.turn = t
	c.leaving.Store(true)
	c.machine.Leave(h3event.Now(t), c.goodbyeStep())
	c.await(t)
	c.noticeGoAway()
}

// refuseRequests tells the client which requests will not be answered.
func (c *serverConn) refuseRequests(t event.Turn) {
	c.turn = t
	c.leaving.Store(true)
	c.machine.RefuseRequests(h3event.Now(t), c.goodbyeStep())
	c.await(t)
	c.noticeGoAway()
}

// goodbyeStep is how long a step takes.
func (c *serverConn) goodbyeStep() time.Duration {
	return max(goodbyeRTTs*c.qc.Stats().SmoothedRTT, goodbyeMin)
}

// closeNow closes the connection at once. The client learns along with it which requests
// were not seen, those that are on their way now above all, and may send them again
// (RFC 9114, Section 5.2).
func (c *serverConn) closeNow(t event.Turn) {
	if !c.machine.Refusing() {
		c.refuseRequests(t)
	}
	c.bye = true
	closeQuietly(t)
}

// HandleLeft is called when the client has had the time to learn of it all.
func (c *serverConn) HandleLeft(monotime.Time) { c.closeIfOver(c.turn) }

// closeIfOver closes the connection if it is to end and nothing is left to do.
func (c *serverConn) closeIfOver(t event.Turn) {
	if (c.bye || c.machine.Left()) && c.unused(t) {
		closeQuietly(t)
	}
}

// unused reports whether there is neither a request nor a response that has not
// arrived.
func (c *serverConn) unused(t event.Turn) bool {
	return c.handlers.Load() == 0 && t.IncomingStreams() == 0
}
