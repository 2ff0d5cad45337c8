package quic

import (
	"container/list"
	"context"
	"errors"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/internal/wire"
)

// acceptQueues are the streams that the peer opened and nobody has accepted.
type acceptQueues struct{ bidi, uni queue.Queue[*Stream] }

// errEventDriven is the error of accepting streams that a Handler gets.
var errEventDriven = errors.New("quic: the connection is event-driven: its Handler gets the streams")

// AcceptStream returns the next bidirectional stream that the peer opened. The
// error is Err once the connection has ended, or the cause of ctx's end. It is
// an error to call it on an event-driven connection.
func (c *Conn) AcceptStream(ctx context.Context) (*Stream, error) {
	if c.accepts == nil {
		return nil, errEventDriven
	}
	return c.accepts.bidi.Pop(ctx)
}

// AcceptUniStream is AcceptStream for streams that only receive.
func (c *Conn) AcceptUniStream(ctx context.Context) (*Stream, error) {
	if c.accepts == nil {
		return nil, errEventDriven
	}
	return c.accepts.uni.Pop(ctx)
}

// OpenStream opens a bidirectional stream. It waits while the peer's limit
// allows none. The peer learns of the stream with the first Write or Close.
func (c *Conn) OpenStream(ctx context.Context) (*Stream, error) { return c.open(ctx, false, true) }

// OpenStreamNow is OpenStream that does not wait for the peer: when its limit allows
// no stream, or others wait already, the error is ErrStreamLimit.
func (c *Conn) OpenStreamNow(ctx context.Context) (*Stream, error) { return c.open(ctx, false, false) }

// OpenUniStream is OpenStream for a stream that only sends.
func (c *Conn) OpenUniStream(ctx context.Context) (*Stream, error) { return c.open(ctx, true, true) }

// TryOpenStream opens a stream without waiting. When the peer's limit allows
// none, the error is ErrStreamLimit, and Handler.HandleStreamsAvailable tells
// when to try again. It must be called on the loop's goroutine: from a Handler
// or in a function given to Run.
func (c *Conn) TryOpenStream(uni bool) (*Stream, error) {
	e, err := c.link.OpenStream(uni)
	switch {
	case err == nil:
		return c.newStream(e), nil
	case errors.Is(err, engine.ErrStreamLimit):
		c.wantStreams = true
		return nil, ErrStreamLimit
	}
	if ended := c.Err(); ended != nil {
		return nil, ended
	}
	return nil, c.publicError(err)
}

// PeerStreamLimit returns how many streams of a kind the peer has allowed this end to
// open so far, those that have ended included (RFC 9000, Section 4.6).
// Handler.HandleStreamsAvailable tells when it has risen, once for each call. It must
// be called on the loop's goroutine, as TryOpenStream must.
func (c *Conn) PeerStreamLimit(uni bool) uint64 {
	c.wantStreams = true
	return c.link.PeerStreamLimit(uni)
}

// openRequest is somebody who waits for a stream. Its fields are guarded by
// the connection's lock.
type openRequest struct {
	uni       bool
	wait      bool          // for the peer to allow it
	opened    chan struct{} // closed when stream is set, or will not be
	stream    *Stream
	abandoned bool          // nobody waits any more
	place     *list.Element // in Conn.opens, nil if not there
}

func (c *Conn) open(ctx context.Context, uni, wait bool) (*Stream, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &openRequest{uni: uni, wait: wait, opened: make(chan struct{})}
	c.link.Do(func() { c.serveOpen(r) }) // if the loop has ended, done is closed
	select {
	case <-r.opened:
		if r.stream == nil {
			return nil, ErrStreamLimit
		}
		return r.stream, nil
	case <-c.Done():
		return nil, c.Err()
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.stream != nil {
		return r.stream, nil
	}
	r.abandoned = true
	if r.place != nil {
		c.opensOf(uni).Remove(r.place)
	}
	return nil, context.Cause(ctx)
}

// opensOf returns those who wait for a kind of stream. The lock is held.
func (c *Conn) opensOf(uni bool) *list.List {
	if c.opens == nil {
		c.opens = new([2]list.List)
	}
	if uni {
		return &c.opens[1]
	}
	return &c.opens[0]
}

// serveOpen opens a stream for r, or lets it wait behind those who came
// before. On the loop's goroutine.
func (c *Conn) serveOpen(r *openRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.abandoned {
		return
	}
	waiting := c.opensOf(r.uni)
	switch {
	case waiting.Len() == 0 && c.fulfil(r):
	case r.wait:
		r.place = waiting.PushBack(r)
	default:
		c.wantStreams = true
		close(r.opened)
	}
}

// serveOpens opens streams for those who wait, as many as there may be.
func (c *Conn) serveOpens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opens == nil {
		return
	}
	for i := range c.opens {
		waiting := &c.opens[i]
		for first := waiting.Front(); first != nil; first = waiting.Front() {
			if !c.fulfil(first.Value.(*openRequest)) {
				break
			}
			waiting.Remove(first)
		}
	}
}

// fulfil opens a stream for r if there may be one now. Those who wait when the
// connection ends learn it from done.
func (c *Conn) fulfil(r *openRequest) bool {
	e, err := c.link.OpenStream(r.uni)
	if err != nil {
		return false
	}
	r.stream = c.newStream(e)
	close(r.opened)
	return true
}

// queueStream puts a stream that the peer opened where it is accepted. Streams
// that are open are bounded by our limit, but a peer may reset one to be
// allowed the next, so those that nobody will miss are swept out once as many
// have gathered: each costs a constant effort, and memory stays bounded.
func (c *Conn) queueStream(s *Stream) {
	q, limit := &c.accepts.bidi, c.conf.MaxIncomingStreams
	if s.link.ID.Uni() {
		q, limit = &c.accepts.uni, c.conf.MaxIncomingUniStreams
	}
	q.Push(s)
	if uint64(q.Len()) > 2*streamLimit(limit) {
		q.Keep(func(s *Stream) bool { return !s.void() })
	}
}

// IncomingStreams returns how many bidirectional streams that the peer opened
// have not ended. What was sent on a stream that has ended was acknowledged. It
// must be called on the loop's goroutine, as TryOpenStream must.
func (c *Conn) IncomingStreams() int { return c.link.Incoming() }

// StreamByID returns a stream that has begun and not ended, and nil for others.
// It must be called on the loop's goroutine, as TryOpenStream must.
func (c *Conn) StreamByID(id uint64) *Stream {
	if id > wire.MaxVarint {
		return nil
	}
	if e := c.link.StreamByID(wire.StreamID(id)); e != nil {
		s, _ := e.App.(*Stream)
		return s
	}
	return nil
}
