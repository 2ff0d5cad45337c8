package quic

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/queue"
)

// events is a Conn as its loop sees it. All methods run on the loop's
// goroutine.
type events struct{ *Conn }

var _ loop.Handler = events{}

func (c events) HandleHandshakeComplete() {
	c.refreshPath()
	if c.newHandler != nil {
		t := c.begin()
		c.handler = c.newHandler(t)
		t.end()
	}
	if c.handler == nil {
		c.accepts = new(acceptQueues)
	} else {
		c.accepted.Store(true)
	}
	switch {
	case c.dialling != nil:
		c.link.SetTimer(&c.dialling.timer, 0, nil)
		close(c.dialling.ended)
		c.dialling = nil
	case c.handler == nil:
		c.listener.offer(c.Conn)
	}
}

func (c events) HandleStreamOpened(e *engine.Stream) {
	s := c.newStream(e)
	if c.handler == nil {
		c.queueStream(s)
		return
	}
	t := c.begin()
	if h := c.handler.HandleStream(t, s.ref()); s.handler == nil {
		s.handler = h
	}
	t.end()
}

func (c events) HandleReadable(e *engine.Stream) {
	s := e.App.(*stream)
	if s.is(flagReadDetached) {
		c.woke = true
		s.signal(&s.reading)
	}
	if s.handler == nil {
		return
	}
	t := c.begin()
	if !s.is(flagReadDetached) {
		s.handler.HandleReadable(t, s.ref())
	}
	s.noticeReceivingEnd(t)
	t.end()
}

func (c events) HandleWritable(e *engine.Stream) {
	s := e.App.(*stream)
	if err := e.Send.Err(); err != nil && e.Sends() {
		s.sendEnded(s.conn.publicError(err))
	}
	if s.is(flagWriteDetached) {
		c.woke = true
		s.signal(&s.writing)
	}
	if s.handler == nil {
		return
	}
	t := c.begin()
	if !s.is(flagWriteDetached) {
		s.handler.HandleWritable(t, s.ref())
	}
	s.noticeSendingEnd(t)
	t.end()
}

// Woke implements loop.Handler.
func (c events) Woke() bool {
	h, ok := c.handler.(TurnHandler)
	if !ok {
		return true
	}
	t := c.begin()
	woke := h.HandleTurn(t) || c.woke
	t.end()
	c.woke = false
	return woke
}

func (c events) HandleSent(e *engine.Stream) { e.App.(*stream).sendEnded(nil) }

func (c events) HandleStreamEnded(e *engine.Stream) {
	s := e.App.(*stream)
	s.ended = true
	if s.handler == nil {
		s.recycle()
		return
	}
	t := c.begin()
	s.handler.HandleEnd(t, s.ref(), End{Kind: StreamEnded}) // it may release s
	t.end()
}

func (c events) HandleStreamSettled(e *engine.Stream) { e.App.(*stream).recycle() }

func (c events) HandleStreamsAvailable() {
	c.serveOpens()
	if c.handler != nil && c.wantStreams {
		c.wantStreams = false
		t := c.begin()
		c.handler.HandleStreamsAvailable(t)
		t.end()
	}
}

func (c events) HandleDatagrams(list [][]byte) {
	h, ok := c.handler.(DatagramHandler)
	if !ok {
		queue.PushDatagrams(c.datagrams, list)
		c.woke = true
		return
	}
	t := c.begin()
	h.HandleDatagrams(t, list)
	t.end()
}

func (c events) HandlePathChanged() {
	c.refreshPath()
	if h, ok := c.handler.(PathHandler); ok {
		t := c.begin()
		h.HandlePathChanged(t)
		t.end()
	}
}

func (c events) HandleSilent() {
	if h, ok := c.handler.(SilenceHandler); ok {
		t := c.begin()
		h.HandleSilent(t)
		t.end()
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
	c.finish(err)
	if d != nil {
		d.failed = err
		close(d.ended)
		c.dialling = nil
	}
	c.link.ClearTimers()
	if h := c.handler; h != nil {
		t := c.begin()
		h.HandleClose(t, err)
		t.end()
	}
}

func (c events) HandleReleased() {
	c.transport.live.Add(-1)
	c.transport.retire()
	if c.released != nil {
		c.released()
	}
}

// finish makes everything return that waits for the connection.
func (c *Conn) finish(err error) {
	c.mu.Lock()
	c.err = err
	if c.life != nil {
		c.life.cancel(err)
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
	if d := c.link.Datagrams(); d != nil {
		d.Out.SetLimit(0)
		c.datagrams.Close(err)
	}
}
