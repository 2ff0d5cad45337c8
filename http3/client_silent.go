package http3

import (
	"context"
	"errors"

	"github.com/godwit-quic/godwit/quic/event"
)

// awaited are a connection's requests whose response has not begun. They belong to the
// loop's goroutine.
type awaited struct {
	list *clientStream // linked by next and prev
}

func (a *awaited) add(st *clientStream) {
	if st.next = a.list; st.next != nil {
		st.next.prev = st
	}
	a.list = st
}

// remove does nothing with a request that is not there.
func (a *awaited) remove(st *clientStream) {
	switch {
	case st.prev != nil:
		st.prev.next = st.next
	case a.list == st:
		a.list = st.next
	}
	if st.next != nil {
		st.next.prev = st.prev
	}
	st.next, st.prev = nil, nil
}

// each calls f for each request, which it may remove.
func (a *awaited) each(f func(*clientStream)) {
	for st := a.list; st != nil; {
		next := st.next
		f(st)
		st = next
	}
}

var _ event.SilenceHandler = (*clientConn)(nil)

// errSilent is why a request is sent on another connection.
var errSilent = errors.New("http3: the server does not answer")

// HandleSilent implements event.SilenceHandler. It is called when the server has answered
// nothing for several probe timeouts: it was restarted, or the path to it is gone, which
// the idle timeout would tell only after half a minute. Further requests get another
// connection. So do those that may be sent twice and that the server has not acknowledged; the
// others wait: it may come back.
func (c *clientConn) HandleSilent(t event.Turn) {
	c.turn = t
	c.transport.retire(c)
	c.awaited.each(func(st *clientStream) {
		if isIdempotent(st.req) && hasContentAgain(st.req) && !st.acknowledged() {
			st.waiting.moved = true
			st.end(errSilent)
		}
	})
}

// acknowledged reports whether the server has all of the request.
func (st *clientStream) acknowledged() bool {
	return context.Cause(st.Ref.Context()) == context.Canceled
}
