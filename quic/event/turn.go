package event

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// Turn is an event-driven connection as its handlers see it, in a turn of its event
// loop. It is given to each callback and counts until that returns: using it
// afterwards panics, or is a data race. None of its methods waits.
type Turn struct{ turn *face.Turn }

// of returns the connection, if the Turn counts.
func (t Turn) of() *face.Conn { return t.turn.Conn() }

// Conn returns the connection.
func (t Turn) Conn() *quic.Conn { return t.of().Owner.Public().(*quic.Conn) }

// Now returns how long the event loop had been running when this turn began: moments for
// timers, cheap to keep, and of no meaning elsewhere. It is never 0.
func (t Turn) Now() time.Duration { return time.Duration(t.of().Link.Now()) }

// Loop returns the number of the event loop that the connection lives on for all its
// life, from 0 to quic.TransportConfig.Loops-1. Callbacks of one loop's connections never run at
// the same time, so what they share need not be locked.
func (t Turn) Loop() int { return t.of().Link.Loop().Index() }

// TLS returns what Conn.ConnectionState does without making a copy: all who ask share
// it, for as long as they like, and must not change it.
func (t Turn) TLS() *tls.ConnectionState {
	c := t.of()
	if e := c.TLS.Early(); !e.IsComplete() {
		return e.First
	}
	return c.TLS.Complete()
}

// HandshakeComplete reports whether the handshake is complete. What a server's client sent
// before may be a replay (RFC 9001, Section 9.2): see quic.Config.Allow0RTT.
func (t Turn) HandshakeComplete() bool { return t.of().TLS.Early().IsComplete() }

// Close closes the connection as Conn.CloseWithError does, without waiting for it:
// the connection ends soon, after what was written to its streams, and HandleClose
// tells.
func (t Turn) Close(code uint64, reason string) {
	face.CheckCode(code)
	t.of().Link.CloseSoon(code, reason)
}

// ErrStreamLimit: the peer allows no further stream now.
var ErrStreamLimit = errors.New("quic: the peer's stream limit is reached")

// Open opens a stream, bidirectional or, for uni, one that only sends, of which h is
// told, nil for nobody. When the peer's limit allows none, the error is
// ErrStreamLimit, and StreamLimitHandler tells when to try again;
// otherwise it is the connection's. The peer learns of the stream with what is
// written first.
func (t Turn) Open(uni bool, h StreamHandler) (Stream, error) {
	c := t.of()
	e, err := c.Link.OpenStream(uni)
	switch {
	case err == nil:
		s := c.NewStream(e)
		s.SetHandler(h)
		return Stream{s.Ref()}, nil
	case errors.Is(err, engine.ErrStreamLimit):
		c.WantStreams = true
		return Stream{}, ErrStreamLimit
	}
	if ended := c.Owner.Err(); ended != nil {
		return Stream{}, ended
	}
	return Stream{}, c.Owner.PublicError(err)
}

// StreamLimit returns how many streams of a kind the peer has allowed this end to
// open so far, those that have ended included (RFC 9000, Section 4.6).
// StreamLimitHandler tells when it has risen, once for each call.
func (t Turn) StreamLimit(uni bool) uint64 {
	c := t.of()
	c.WantStreams = true
	return c.Link.PeerStreamLimit(uni)
}

// IncomingStreams returns how many bidirectional streams that the peer opened have
// not ended. What was sent on a stream that has ended was acknowledged.
func (t Turn) IncomingStreams() int { return t.of().Link.Incoming() }

// StreamByID returns a stream that has begun and not ended, the zero Stream for
// others.
func (t Turn) StreamByID(id uint64) Stream {
	if id > wire.MaxVarint {
		return Stream{}
	}
	return Stream{t.of().StreamByID(wire.StreamID(id))}
}

// PeerResetStreamAt reports whether the peer understands RESET_STREAM_AT
// (draft-ietf-quic-reliable-stream-reset): see Stream.MarkReliable.
func (t Turn) PeerResetStreamAt() bool { return t.of().Link.PeerResetStreamAt() }
