package quic

import (
	"container/list"
	"context"

	"github.com/godwit-quic/godwit/internal/engine"
)

// OpenStream opens a bidirectional stream. It waits while the peer's limit
// allows none. The peer learns of the stream with the first Write or Close.
func (c *Conn) OpenStream(ctx context.Context) (*Stream, error) { return c.OpenWith(ctx, Opening{}) }

// OpenUniStream is OpenStream for a stream that only sends.
func (c *Conn) OpenUniStream(ctx context.Context) (*SendStream, error) {
	s, err := c.OpenWith(ctx, Opening{Uni: true})
	if err != nil {
		return nil, err
	}
	return &s.SendStream, nil
}

// Opening says how OpenWith opens a stream.
type Opening struct {
	// Uni makes the stream one that only sends: of what OpenWith returns, only the
	// SendStream is of use.
	Uni bool
	// NoWait makes the error ErrStreamLimit when the peer's limit allows no stream, or
	// others wait already. On an event-driven connection,
	// Handler.HandleStreamsAvailable tells when to try again.
	NoWait bool
	// Events leaves the stream to the event face: the handler that Begin sets is told of
	// everything, and what OpenWith returns is of use after StreamRef.Detach only.
	Events bool
	// Begin, if not nil, is called on the connection's event loop, where it must not
	// block, once the stream is open. What it writes with Turn.Write or WriteLast,
	// such as all of a request, needs no further message to the loop; and it may set a
	// handler (Turn.Handle) that is told how the stream ends. It may be called though
	// OpenWith returns ctx's error.
	Begin func(t *Turn, s StreamRef)
}

// OpenWith opens a stream as how says. The error is the connection's, ErrStreamLimit
// for NoWait, or the cause of ctx's end.
func (c *Conn) OpenWith(ctx context.Context, how Opening) (*Stream, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &openRequest{Opening: how, opened: make(chan struct{})}
	c.link.Do(func() { c.serveOpen(r) }) // if the loop has ended, done is closed
	select {
	case <-r.opened:
		if r.stream != nil {
			return r.stream, nil
		}
		if err := c.Err(); err != nil { // and others were waiting when it came
			return nil, err
		}
		return nil, ErrStreamLimit
	case <-c.Done():
		return nil, c.Err()
	case <-ctx.Done():
	}
	if c.giveUp(r) {
		return nil, context.Cause(ctx)
	}
	<-r.opened // Begin, which does not block, is under way
	return r.stream, nil
}

// giveUp takes r back, unless the stream is open already.
func (c *Conn) giveUp(r *openRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.stream != nil {
		return false
	}
	r.abandoned = true
	if r.place != nil {
		c.opensOf(r.Uni).Remove(r.place)
	}
	return true
}

// openRequest is a caller's wait for a stream. Its fields are guarded by
// the connection's lock.
type openRequest struct {
	Opening
	opened    chan struct{} // closed when stream is set, or will not be
	stream    *Stream
	abandoned bool          // nobody waits any more
	place     *list.Element // in Conn.opens, nil if not there
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
	waiting := c.opensOf(r.Uni)
	if r.abandoned {
		c.mu.Unlock()
		return
	}
	full := error(engine.ErrStreamLimit) // for those who would overtake others
	if waiting.Len() == 0 {
		full = c.fulfil(r)
	}
	switch {
	case full == nil:
		c.mu.Unlock()
		c.beginOpen(r)
		return
	case r.NoWait && full == engine.ErrStreamLimit:
		c.wantStreams = true
		close(r.opened)
	default:
		r.place = waiting.PushBack(r)
	}
	c.mu.Unlock()
}

// serveOpens opens streams for those who wait, as many as there may be. On the loop's
// goroutine.
func (c *Conn) serveOpens() {
	for _, uni := range []bool{false, true} {
		for r := c.nextOpen(uni); r != nil; r = c.nextOpen(uni) {
			c.beginOpen(r)
		}
	}
}

// nextOpen opens a stream for the first of those who wait for a kind, if there may be
// one, and returns it.
func (c *Conn) nextOpen(uni bool) *openRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opens == nil {
		return nil
	}
	waiting := c.opensOf(uni)
	first := waiting.Front()
	if first == nil || c.fulfil(first.Value.(*openRequest)) != nil {
		return nil
	}
	return waiting.Remove(first).(*openRequest)
}

// fulfil opens a stream for r if there may be one now. Otherwise the error is
// engine.ErrStreamLimit, or that the connection ends, which callers that wait learn
// from Done. The lock is held, so that giveUp does not take r back meanwhile.
// beginOpen must follow.
func (c *Conn) fulfil(r *openRequest) error {
	e, err := c.link.OpenStream(r.Uni)
	if err != nil {
		return err
	}
	s := c.newStream(e)
	r.stream = s.ref().blocking()
	if !r.Events {
		s.flags.Or(flagReadDetached | flagWriteDetached)
	}
	return nil
}

// beginOpen calls Begin, and wakes the caller that waits for the stream.
func (c *Conn) beginOpen(r *openRequest) {
	if r.Begin != nil {
		t := c.begin()
		r.Begin(t, r.stream.Ref())
		t.end()
	}
	close(r.opened)
}
