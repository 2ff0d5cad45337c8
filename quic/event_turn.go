package quic

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Turn is an event-driven connection as its handlers see it, in a turn of its event
// loop. It is given to each callback and counts until that returns: using it
// afterwards panics, or is a data race. None of its methods waits.
type Turn struct {
	conn *Conn // nil while no callback runs
}

// begin returns the token for a callback, which ends with end.
func (c *Conn) begin() *Turn {
	c.turn.conn = c
	return &c.turn
}

// end makes the token worthless.
func (t *Turn) end() { t.conn = nil }

// of returns the connection, if the Turn counts.
func (t *Turn) of() *Conn {
	if t.conn == nil {
		panic("quic: a Turn was used after its callback had returned")
	}
	return t.conn
}

// Conn returns the connection.
func (t *Turn) Conn() *Conn { return t.of() }

// Now returns when the turn began, as the time that the event loop has been running:
// moments for timers, cheap to keep, and of no meaning elsewhere. It is never 0.
func (t *Turn) Now() time.Duration { return time.Duration(t.of().link.Now()) }

// Loop returns the number of the event loop that the connection lives on for all its
// life, from 0 to Config.Loops-1. Callbacks of one loop's connections never run at
// the same time, so what they share need not be locked.
func (t *Turn) Loop() int { return t.of().worker.index }

// TLS returns what Conn.ConnectionState does without making a copy: all who ask share
// it, for as long as they like, and must not change it.
func (t *Turn) TLS() *tls.ConnectionState { return t.of().tls.Complete() }

// Close closes the connection as Conn.CloseWithError does, without waiting for it:
// the connection ends soon, after what was written to its streams, and HandleClose
// tells.
func (t *Turn) Close(code uint64, reason string) {
	checkCode(code)
	t.of().link.CloseSoon(code, reason)
}

// CountBuffered counts n bytes more, or less, that the caller keeps of what the peer
// sent, where flow control does not see them any more: they are part of what
// Config.MaxBufferedBytes bounds, until the connection has ended. It reports whether
// the connection holds no more than its share.
func (t *Turn) CountBuffered(n int) bool { return t.of().link.CountBuffered(n) }

// Open opens a stream, bidirectional or, for uni, one that only sends, of which h is
// told, nil for nobody. When the peer's limit allows none, the error is
// ErrStreamLimit, and Handler.HandleStreamsAvailable tells when to try again;
// otherwise it is the connection's. The peer learns of the stream with what is
// written first.
func (t *Turn) Open(uni bool, h StreamHandler) (StreamRef, error) {
	c := t.of()
	e, err := c.link.OpenStream(uni)
	switch {
	case err == nil:
		s := c.newStream(e)
		s.handler = h
		return s.ref(), nil
	case errors.Is(err, engine.ErrStreamLimit):
		c.wantStreams = true
		return StreamRef{}, ErrStreamLimit
	}
	if ended := c.Err(); ended != nil {
		return StreamRef{}, ended
	}
	return StreamRef{}, c.publicError(err)
}

// StreamLimit returns how many streams of a kind the peer has allowed this end to
// open so far, those that have ended included (RFC 9000, Section 4.6).
// Handler.HandleStreamsAvailable tells when it has risen, once for each call.
func (t *Turn) StreamLimit(uni bool) uint64 {
	c := t.of()
	c.wantStreams = true
	return c.link.PeerStreamLimit(uni)
}

// IncomingStreams returns how many bidirectional streams that the peer opened have
// not ended. What was sent on a stream that has ended was acknowledged.
func (t *Turn) IncomingStreams() int { return t.of().link.Incoming() }

// StreamByID returns a stream that has begun and not ended, the zero StreamRef for
// others.
func (t *Turn) StreamByID(id uint64) StreamRef {
	if id > wire.MaxVarint {
		return StreamRef{}
	}
	if e := t.of().link.StreamByID(wire.StreamID(id)); e != nil {
		if s, ok := e.App.(*stream); ok && !s.is(flagReleased) {
			return s.ref()
		}
	}
	return StreamRef{}
}

// PeerResetStreamAt reports whether the peer understands RESET_STREAM_AT
// (draft-ietf-quic-reliable-stream-reset): see SendStream.MarkReliable.
func (t *Turn) PeerResetStreamAt() bool { return t.of().link.PeerResetStreamAt() }
