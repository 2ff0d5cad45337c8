package quic

import (
	"container/list"
	"context"

	"github.com/godwit-quic/godwit/internal/face"
)

// OpenStream opens a bidirectional stream. It waits while the peer's limit
// allows none. The peer learns of the stream with the first Write or Close.
func (c *Conn) OpenStream(ctx context.Context) (*Stream, error) {
	ref, err := c.open(ctx, &openRequest{detached: true})
	if err != nil {
		return nil, err
	}
	return blocking(ref), nil
}

// OpenUniStream is OpenStream for a stream that only sends.
func (c *Conn) OpenUniStream(ctx context.Context) (*SendStream, error) {
	ref, err := c.open(ctx, &openRequest{detached: true, uni: true})
	if err != nil {
		return nil, err
	}
	return &SendStream{ref}, nil
}

// open opens a stream as r says. The error is the connection's, or the cause of ctx's end.
func (c *Conn) open(ctx context.Context, r *openRequest) (face.Ref, error) {
	if ctx.Err() != nil {
		return face.Ref{}, context.Cause(ctx)
	}
	r.opened = make(chan struct{})
	c.face.Link.Do(func() { c.serveOpen(r) }) // if the loop has ended, done is closed
	select {
	case <-r.opened:
		return r.stream, nil
	case <-c.Done():
		return face.Ref{}, c.Err()
	case <-ctx.Done():
	}
	if c.giveUp(r) {
		return face.Ref{}, context.Cause(ctx)
	}
	<-r.opened // begin, which does not block, is under way
	return r.stream, nil
}

// giveUp takes r back, unless the stream is open already.
func (c *Conn) giveUp(r *openRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.stream != (face.Ref{}) {
		return false
	}
	r.abandoned = true
	if r.place != nil {
		c.opensOf(r.uni).Remove(r.place)
	}
	return true
}

// openRequest is a caller's wait for a stream. What changes is guarded by the
// connection's lock.
type openRequest struct {
	uni      bool
	detached bool // from the start: for calls that wait
	begin    any  // what event.Open was given, or nil

	opened    chan struct{} // closed when stream is set
	stream    face.Ref      // zero before
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
	if r.abandoned {
		c.mu.Unlock()
		return
	}
	if (c.opens == nil || c.opensOf(r.uni).Len() == 0) && c.fulfil(r) == nil {
		c.mu.Unlock()
		c.beginOpen(r)
		return
	}
	r.place = c.opensOf(r.uni).PushBack(r)
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
	e, err := c.face.Link.OpenStream(r.uni)
	if err != nil {
		return err
	}
	s := c.face.NewStream(e)
	r.stream = s.Ref()
	if r.detached {
		s.DetachReading()
		s.DetachWriting()
	}
	return nil
}

// beginOpen calls begin, and wakes the caller that waits for the stream.
func (c *Conn) beginOpen(r *openRequest) {
	if r.begin != nil {
		t := c.face.Begin()
		face.Events.Begin(r.begin, t, r.stream)
		t.End()
	}
	close(r.opened)
}
