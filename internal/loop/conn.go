package loop

import (
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Flags of a Conn, which any goroutine may change.
const (
	datagramsQueued = 1 << iota // the loop was told and has not looked yet
	lapsed                      // no PING is due: the next Hold must tell the engine
)

// Conn is a connection that lives on a loop. Its methods belong to the loop's
// goroutine, unless they say otherwise.
type Conn struct {
	loop    *Loop
	engine  *engine.Conn
	handler Handler

	leaving *leaving // CloseSoon was called; nil if it was not
	further *further // sockets of other loops; nil without any

	released   bool
	brief      bool // SkipClosingPeriod was called
	unanswered bool // counted in Loop.unanswered
	dirty      bool
	told       bool // the handler was told of events since it was asked whether it woke anybody
	untold     bool // there are events that the handler was not told of
	waits      bool // in handshakes

	flags atomic.Uint32 // datagramsQueued, lapsed
	holds atomic.Int32  // Hold less Unhold

	nextDirty   *Conn
	nextWaiting *Conn // in handshakes
	prev, next  *Conn

	entry   deadline[Conn]    // in the loop's deadlines
	timers  *deadlines[Timer] // of the handler; nil without any
	firedAt monotime.Time     // when the engine last handled its deadline

	progress uint64 // of the engine's, as relief last saw it
	stuck    int64  // bytes held and not moved then

	shared snapshot
}

// snapshot is what other goroutines see of the engine.
type snapshot struct {
	mu    sync.Mutex
	stats engine.Stats
}

func (l *Loop) newConn(e *engine.Conn) *Conn {
	c := &Conn{loop: l, engine: e}
	c.entry.of = c
	e.App = c
	l.conns.add(c)
	l.count++
	if tls, ok := e.TLS().(notifier); ok {
		tls.Notify(c)
	}
	return c
}

// Loop returns the loop that the connection lives on.
func (c *Conn) Loop() *Loop { return c.loop }

// Path returns the addresses packets travel between now.
func (c *Conn) Path() path.Addrs { return c.engine.Path() }

// TLS returns the handshake that the connection was made with.
func (c *Conn) TLS() engine.TLS { return c.engine.TLS() }

// SetToken is that of engine.Conn: before the turn ends in which it was dialled.
func (c *Conn) SetToken(v wire.Version, token []byte) { c.engine.SetToken(v, token) }

// Tracer returns who is told what happens on the connection, nil for nobody. Any goroutine
// may call it.
func (c *Conn) Tracer() quictrace.Tracer { return c.engine.Tracer() }

// EarlyAccepted is engine.Conn.EarlyAccepted.
func (c *Conn) EarlyAccepted() bool { return c.engine.EarlyAccepted() }

// PeerResetStreamAt reports whether the peer understands RESET_STREAM_AT. It must be
// called on the loop's goroutine, after the handshake.
func (c *Conn) PeerResetStreamAt() bool { return c.engine.PeerResetStreamAt() }

// Stats returns the connection's figures as of the end of the loop's last turn
// that touched it. Any goroutine may call it.
func (c *Conn) Stats() engine.Stats {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	return c.shared.stats
}

// publish makes the present figures visible to Stats.
func (c *Conn) publish() {
	stats := c.engine.Stats()
	c.shared.mu.Lock()
	c.shared.stats = stats
	c.shared.mu.Unlock()
}

// CountBuffered counts n bytes more, or less, that are kept elsewhere of what was
// received, and reports whether the connection holds no more than its share. Any
// goroutine may call it.
func (c *Conn) CountBuffered(n int) bool { return c.engine.CountBuffered(n) }

// PeerStreamLimit returns how many streams of a kind the peer lets this side open in
// all. HandleStreamsAvailable tells when it has risen.
func (c *Conn) PeerStreamLimit(unidirectional bool) uint64 {
	return c.engine.PeerStreamLimit(unidirectional)
}

// OpenStream opens a stream. Without leave from the peer the error is
// engine.ErrStreamLimit and HandleStreamsAvailable tells when to try again.
func (c *Conn) OpenStream(unidirectional bool) (*engine.Stream, error) {
	if c.released {
		return nil, engine.ErrClosed
	}
	s, err := c.engine.OpenStream(unidirectional)
	if err == engine.ErrStreamLimit {
		c.touch() // STREAMS_BLOCKED may have to be sent
	}
	return s, err
}

// Close ends the connection with an application's code and reason, after what was
// written before, as far as it may be sent in this turn. The handler is told once
// CONNECTION_CLOSE has been sent. Of several calls, of CloseSoon too, the first counts.
func (c *Conn) Close(code uint64, reason string) {
	if c.released {
		return
	}
	if c.leaving != nil {
		code, reason = c.leaving.code, c.leaving.reason
	}
	c.engine.CloseAfterSending(c.loop.clock(), code, reason)
	c.touch()
}

// leaving is with what a connection is about to be closed.
type leaving struct {
	code   uint64
	reason string
}

// CloseSoon is Close when what the mailbox holds already has been done: what was
// written in this turn.
func (c *Conn) CloseSoon(code uint64, reason string) {
	if c.leaving == nil {
		c.leaving = &leaving{code, reason}
		c.Do(func() { c.Close(code, reason) })
	}
}

// Fail ends the connection with a transport error.
func (c *Conn) Fail(err *engine.TransportError) {
	if !c.released {
		c.engine.Fail(c.loop.clock(), err)
		c.touch()
	}
}

// UpdateKeys begins a key update: see engine.Conn.UpdateKeys. Connections do so by themselves
// before a key has been used too often; endpoints that test a peer want it at once.
func (c *Conn) UpdateKeys() error {
	if c.released {
		return engine.ErrClosed
	}
	err := c.engine.UpdateKeys(c.loop.clock())
	c.touch()
	return err
}

// SkipClosingPeriod makes the loop forget the connection as soon as it has ended and
// the peer has been told once, as is allowed where the socket is about to be closed
// (RFC 9000, Section 10.2).
func (c *Conn) SkipClosingPeriod() {
	if !c.released {
		c.brief = true
		c.touch()
	}
}

// Handler returns what the connection's events are told to.
func (c *Conn) Handler() Handler { return c.handler }

// Do calls f on the loop's goroutine, unless the connection is released by
// then. It returns false if the loop has ended, so that f will not be called.
// Any goroutine may call it.
func (c *Conn) Do(f func()) bool {
	return c.loop.post(item{conn: c, do: f})
}

// touch makes the loop look at the connection in this turn.
func (c *Conn) touch() { c.loop.dirty.push(c) }

// Incoming returns how many bidirectional streams that the peer opened have not
// ended, 0 once the connection has.
func (c *Conn) Incoming() int {
	if c.released {
		return 0
	}
	return c.engine.Incoming()
}

// StreamByID returns a stream that has begun and not ended, nil for others.
func (c *Conn) StreamByID(id wire.StreamID) *engine.Stream {
	if c.released {
		return nil
	}
	return c.engine.StreamByID(id)
}
