package quic

import (
	"context"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/handshake"
)

// ReplayGuard remembers for which tickets a server has accepted early data: see
// Config.ReplayGuard. It may be called by many goroutines at once, and may take long: only
// the client waits that it is for.
type ReplayGuard interface {
	// FirstUse notes a ticket, which was made at issued and permits no early data from
	// expires on, when it may be forgotten. It reports whether the ticket was not noted
	// before. Whoever is not sure, because entries may have been lost or the others
	// cannot be asked, returns false: then the client's data arrives a round trip later.
	FirstUse(ticket [16]byte, issued, expires time.Time) bool
}

// AwaitHandshake waits until the handshake is complete. It reports whether the
// connection's early data was accepted; what was rejected has been sent again. On a server
// whose client sent early data it returns when the client has shown that what it sent is
// no replay. Without early data (Config.Allow0RTT) it returns at once. The error is the
// connection's, or the cause of ctx's end.
func (c *Conn) AwaitHandshake(ctx context.Context) (early bool, err error) {
	e := c.face.TLS.Early()
	switch {
	case e == nil:
		return false, nil
	case e.IsComplete():
		return e.Accepted, nil
	}
	select {
	case <-e.Complete:
	case <-c.Done():
		if !e.IsComplete() {
			return false, c.Err()
		}
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return e.Accepted, nil
}

// HandleEarly implements loop.Handler.
func (c events) HandleEarly() {
	if c.face.TLS.Early() != nil {
		return // a client's second attempt, with another version
	}
	c.face.TLS.BeginEarly()
	c.ready()
}

// earlyComplete follows the completion of a handshake that was early.
func (c events) earlyComplete() {
	c.refreshPath()
	e := c.face.TLS.Early()
	e.Accepted = c.face.Link.EarlyAccepted()
	close(e.Complete)
	if c.face.Handler != nil {
		t := c.face.Begin()
		face.Events.HandleHandshakeComplete(c.face.Handler, t)
		t.End()
	}
}

// earlyConfig returns how handshakes deal with early data, nil for not at all.
func (conf *Config) earlyConfig() *handshake.Early {
	if !conf.Allow0RTT {
		return nil
	}
	return &handshake.Early{Guard: conf.ReplayGuard, State: conf.EarlyState}
}
