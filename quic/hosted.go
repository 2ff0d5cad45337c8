package quic

import (
	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/hosted"
	"github.com/godwit-quic/godwit/internal/loop"
)

// Hosts in shared memory have a part in the loops of their transports.
func init() {
	hosted.NewTransport = func(addr string, conf any, l hosted.Loop) (any, error) {
		tc, _ := conf.(*TransportConfig)
		t, err := openTransport(addr, tc, &l)
		if err != nil {
			return nil, err
		}
		return t, nil
	}
	hosted.Tell = func(conn any) { conn.(*Conn).tellCommands() }
}

// host adds to a loop what a host has asked for; nil for no host.
func (t *Transport) host(l *loop.Config, host *hosted.Loop) {
	if host == nil {
		return
	}
	l.Source = host.Source
	l.Panicked = func(value any, stack []byte) {
		if ln := t.listener.Load(); ln != nil {
			ln.backlog.Close(ErrClosed)
		}
		host.Panicked(value, stack)
	}
	l.Ended = func(err error) {
		t.ended(err)
		host.Ended()
	}
}

// tellCommands tells the handler, unless the connection has ended. On the loop's
// goroutine.
func (c *Conn) tellCommands() {
	if c.face.Handler == nil {
		return
	}
	t := c.face.Begin()
	face.Events.HandleCommands(c.face.Handler, t)
	t.End()
}
