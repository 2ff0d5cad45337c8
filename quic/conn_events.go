package quic

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// events is a Conn as its loop sees it. All methods run on the loop's
// goroutine.
type events struct{ *Conn }

var _ loop.Handler = events{}

func (c events) HandleHandshakeComplete() {
	c.refreshPath()
	if c.conf.NewHandler != nil {
		c.handler = c.conf.NewHandler(c.Conn)
	}
	if c.handler == nil {
		c.accepts = new(acceptQueues)
	} else {
		c.accepted.Store(true)
	}
	switch {
	case c.dialling != nil:
		close(c.dialling.ended)
		c.dialling = nil
	case c.handler == nil:
		c.listener.offer(c.Conn)
	}
}

func (c events) HandleStreamOpened(e *engine.Stream) {
	s := c.newStream(e)
	if c.handler != nil {
		c.handler.HandleStream(s)
		return
	}
	c.queueStream(s)
}

func (c events) HandleReadable(e *engine.Stream) {
	s := e.App.(*Stream)
	if s.is(flagHooks) {
		s.noticeReset()
		s.noticeDiscard()
	}
	if c.handles(s) {
		c.handler.HandleReadable(s)
		return
	}
	c.woke = true
	s.signal(&s.reading)
}

func (c events) HandleWritable(e *engine.Stream) {
	s := e.App.(*Stream)
	if s.is(flagHooks) {
		s.noticeUnsent()
	}
	if err := e.Send.Err(); err != nil && e.Sends() {
		s.sendEnded(s.conn.publicError(err))
	}
	if c.handles(s) {
		c.handler.HandleWritable(s)
		return
	}
	c.woke = true
	s.signal(&s.writing)
}

// Woke implements loop.Handler.
func (c events) Woke() bool {
	waker, ok := c.handler.(Waker)
	if !ok {
		return true
	}
	woke := c.woke
	c.woke = false
	return waker.Woke() || woke
}

func (c events) HandleSent(e *engine.Stream) {
	s := e.App.(*Stream)
	s.sendEnded(nil)
	if s.is(flagReleased) {
		s.link.Release() // again, when no event about it is under way
	}
}

func (c events) HandleStreamReleased(e *engine.Stream) {
	s := e.App.(*Stream)
	s.flags.Or(flagReleased)
	s.recycle()
}

func (c events) HandleStreamsAvailable() {
	c.serveOpens()
	if c.handler != nil && c.wantStreams {
		c.wantStreams = false
		c.handler.HandleStreamsAvailable(c.Conn)
	}
}

func (c events) HandlePathChanged() {
	c.refreshPath()
	if h, ok := c.handler.(PathHandler); ok {
		h.HandlePathChanged(c.Conn)
	}
}

func (c events) HandleSilent() {
	if h, ok := c.handler.(SilenceHandler); ok {
		h.HandleSilent(c.Conn)
	}
}

// HandleUnreachable gives a dialled connection up before its handshake is
// complete: waiting would only hide the reason. Later, networks may return.
func (c events) HandleUnreachable(err error) {
	if d := c.dialling; d != nil && d.unreachable == nil {
		d.unreachable = err
		c.link.Close(0, "")
	}
}

func (c events) HandleClosed(err error) {
	err = c.publicError(err)
	d := c.dialling
	if d != nil && d.unreachable != nil {
		err = d.unreachable
	}
	c.end(err)
	if d != nil {
		close(d.ended)
		c.dialling = nil
	}
	if h := c.handler; h != nil {
		c.handler = nil
		h.HandleClose(c.Conn, err)
	}
}

func (c events) HandleReleased() {
	c.transport.live.Add(-1)
	c.transport.retire()
	for _, waiter := range c.released {
		waiter.Done()
	}
}

// handles reports whether the connection's Handler is told of s.
func (c events) handles(s *Stream) bool {
	return c.handler != nil && s.flags.Load()&flagDetached == 0
}

// end makes everything return that waits for the connection.
func (c *Conn) end(err error) {
	c.mu.Lock()
	c.err = err
	if c.cancel != nil {
		c.cancel(err)
	}
	c.opens = nil
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	if c.accepts != nil {
		c.accepts.bidi.Close(err)
		c.accepts.uni.Close(err)
	}
}

// publicError returns an engine's error in this package's terms.
func (c *Conn) publicError(err error) error {
	c.mu.Lock()
	remote := c.remote
	c.mu.Unlock()
	return publicError(err, remote)
}
