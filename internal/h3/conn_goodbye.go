package h3

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// goodbye is how far the end of a connection has come that a server wants to end:
//
//	staying ──notice──▶ noticed ──GOAWAY──▶ refusing ──▶ left
//
// The client learns first that the end is near, and goes on; what it sends before it
// knows is answered. Then it learns which requests will be; later ones are rejected,
// and it may send them again (RFC 9114, Section 5.2). Only when it had time to learn of
// that, too, may the connection be closed, as soon as nothing is left to do:
// CONNECTION_CLOSE would take along what has not left or was lost.
type goodbye struct {
	step goodbyeStep
	wait time.Duration
	next monotime.Time // when the next step is due, zero for none
}

type goodbyeStep uint8

const (
	staying goodbyeStep = iota
	noticed
	refusing
	left
)

// Leave begins to end the connection at a server, unless that goes on already. Each of
// two steps takes wait, in which what the client sends before it knows should arrive.
// Handler.HandleLeft tells of the end.
func (c *Conn) Leave(now monotime.Time, wait time.Duration) {
	if c.goodbye.step != staying {
		return
	}
	c.now = now
	c.control.send(c.state.AppendGoAwayNotice(nil))
	c.goodbye = goodbye{step: noticed, wait: wait, next: now.Add(wait)}
}

// RefuseRequests is Leave without its first step: requests that have not arrived are
// rejected from now on.
func (c *Conn) RefuseRequests(now monotime.Time, wait time.Duration) {
	c.now = now
	c.control.send(c.state.AppendGoAway(nil))
	c.goodbye = goodbye{step: refusing, wait: wait, next: now.Add(wait)}
}

// Refusing reports whether requests that arrive now are rejected.
func (c *Conn) Refusing() bool { return c.goodbye.step >= refusing }

// Left reports whether what Leave began is over.
func (c *Conn) Left() bool { return c.goodbye.step == left }

// stepGoodbye does the next step.
func (c *Conn) stepGoodbye(now monotime.Time) {
	if c.goodbye.step == noticed {
		c.RefuseRequests(now, c.goodbye.wait)
		return
	}
	c.goodbye.step, c.goodbye.next = left, 0
	c.handler.HandleLeft(now)
}
