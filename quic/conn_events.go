package quic

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/queue"
)

// events is a Conn as its loop sees it. All methods run on the loop's
// goroutine.
type events struct{ *Conn }

var (
	_ loop.Handler = events{}
	_ face.Owner   = events{}
)

// Public implements face.Owner.
func (c events) Public() any { return c.Conn }

// PublicError implements face.Owner.
func (c events) PublicError(err error) error { return c.publicError(err) }

func (c events) HandleHandshakeComplete() {
	if c.face.TLS.Early() == nil {
		c.ready()
	} else {
		c.earlyComplete()
	}
	c.dialling = nil
}

// ready hands the connection to the application.
func (c events) ready() {
	c.refreshPath()
	if newHandler := c.newHandler(); newHandler != nil {
		t := c.face.Begin()
		c.face.Handler = face.Events.NewHandler(newHandler, t)
		t.End()
	}
	if c.face.Handler == nil {
		c.accepts = new(acceptQueues)
	} else {
		c.accepted.Store(true)
	}
	switch {
	case c.dialling != nil:
		c.face.Link.SetTimer(&c.dialling.timer, 0, nil)
		close(c.dialling.ended)
	case c.face.Handler == nil:
		c.listener.offer(c.Conn)
	}
	c.shaken()
}

// newHandler returns the function of package event that makes the connection's Handler, nil
// for none.
func (c events) newHandler() any {
	if c.dialling != nil {
		return c.dialling.newHandler
	}
	return c.listener.newHandler
}

func (c events) HandleStreamOpened(e *engine.Stream) {
	s := c.face.NewStream(e)
	if c.face.Handler == nil {
		c.queueStream(s)
		return
	}
	t := c.face.Begin()
	if h := face.Events.HandleStream(c.face.Handler, t, s.Ref()); s.Handler() == nil {
		s.SetHandler(h)
	}
	t.End()
}

func (c events) HandleReadable(e *engine.Stream)      { c.face.HandleReadable(e) }
func (c events) HandleWritable(e *engine.Stream)      { c.face.HandleWritable(e) }
func (c events) HandleSent(e *engine.Stream)          { c.face.HandleSent(e) }
func (c events) HandleStreamEnded(e *engine.Stream)   { c.face.HandleStreamEnded(e) }
func (c events) HandleStreamSettled(e *engine.Stream) { c.face.HandleStreamSettled(e) }

// Woke implements loop.Handler.
func (c events) Woke() bool {
	if c.face.Handler == nil {
		return true
	}
	t := c.face.Begin()
	woke := face.Events.HandleTurn(c.face.Handler, t) || c.face.Woke
	t.End()
	c.face.Woke = false
	return woke
}

func (c events) HandleStreamsAvailable() {
	c.serveOpens()
	if c.face.Handler != nil && c.face.WantStreams {
		c.face.WantStreams = false
		t := c.face.Begin()
		face.Events.HandleStreamsAvailable(c.face.Handler, t)
		t.End()
	}
}

func (c events) HandleDatagrams(list [][]byte) {
	if c.face.Handler != nil {
		t := c.face.Begin()
		handled := face.Events.HandleDatagrams(c.face.Handler, t, list)
		t.End()
		if handled {
			return
		}
	}
	queue.PushDatagrams(c.datagrams, list)
	c.face.Woke = true
}

func (c events) HandlePathChanged() {
	c.refreshPath()
	if c.face.Handler != nil {
		t := c.face.Begin()
		face.Events.HandlePathChanged(c.face.Handler, t)
		t.End()
	}
	if h := c.hooks(); h != nil && h.addrChanged != nil {
		h.addrChanged(c.Conn)
	}
}

func (c events) HandlePaths() { c.settlePaths() }

func (c events) HandleSilent() {
	c.seek(errSilent)
	if c.face.Handler != nil {
		t := c.face.Begin()
		face.Events.HandleSilent(c.face.Handler, t)
		t.End()
	}
}

// HandleUnreachable gives a dialled connection up before its handshake is
// complete: waiting would only hide the reason. Later, networks may return, or there is
// another one.
func (c events) HandleUnreachable(err error) {
	d := c.dialling
	if d == nil {
		c.seek(err)
	} else if d.unreachable == nil {
		d.unreachable = err
		c.face.Link.Close(0, "")
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
		c.dialling = nil
		if c.face.TLS.Early() == nil {
			close(d.ended)
		}
	}
	c.face.Link.ClearTimers()
	if h := c.face.Handler; h != nil {
		t := c.face.Begin()
		face.Events.HandleClose(h, t, err)
		t.End()
	}
	c.left()
}

func (c events) HandleReleased() {
	c.leavePaths()
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
	if life := c.has().life; life != nil {
		life.cancel(err)
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
	if d := c.face.Link.Datagrams(); d != nil {
		d.Out.SetLimit(0)
		c.datagrams.Close(err)
	}
}
